/**
 * Runs tap for npm's scripts, with the arguments that it is given: `npm test -- test/files.test.ts`. Builds tap first
 * where that was not done with the plugins of .taprc, and keeps Node's compile cache. `--long` asks for the large numbers
 * of generated cases (test/support/amount.ts), `--processes` for the files that start processes.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const BUILT = join(ROOT, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')

const args = process.argv.slice(2)

const env: NodeJS.ProcessEnv = {
  NODE_COMPILE_CACHE: join(ROOT, '.data/compile-cache'),
  // What tap runs before and after the files would measure its coverage otherwise, and tap print a table of it.
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  ...process.env,
  ...(args.includes('--long') ? { GROUNDWORK_LONG: '1' } : {}),
}

if (!isBuilt()) run('build')
const forTap = args.filter((arg) => arg !== '--long' && arg !== '--processes')
if (args.includes('--processes')) forTap.push(...globSync('test/**/*.process.test.ts', { cwd: ROOT }).sort())
run(...forTap)

/** Building takes seconds, so it is done once per installation. */
function isBuilt(): boolean {
  return existsSync(BUILT) && !readFileSync(BUILT, 'utf8').includes('@tapjs/typescript')
}

function run(...tapArgs: string[]): void {
  const { status, error } = spawnSync('tap', tapArgs, { cwd: ROOT, env, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
