/**
 * Runs tap for npm's scripts, with the arguments that it is given: `npm test -- test/files.test.ts`. Builds tap first
 * where that was not done with the plugins of .taprc, and keeps Node's compile cache. Without a file, all files that
 * share processes run, or those of a folder that it is given (test/support/place.ts). `--long` asks for the large numbers
 * of generated cases (test/support/amount.ts), `--processes` for the files that start processes.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createQueue, processFiles, QUEUE, sharedFiles } from './support/shared-files.ts'

const ROOT = join(import.meta.dirname, '..')
const BUILT = join(ROOT, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')
/** Plugins that .taprc leaves out. */
const LEFT_OUT = [...readFileSync(join(ROOT, '.taprc'), 'utf8').matchAll(/"!(.+)"/g)].map(
  ([, name = '']) => name,
)
const PLACES = globSync('test/places/*.ts', { cwd: ROOT }).sort()

/** One more at once than the places of .taprc: what starts processes waits for them a third of its time. */
const PROCESS_OPTIONS = ['--jobs=6']

const args = process.argv.slice(2)

const env: NodeJS.ProcessEnv = {
  NODE_COMPILE_CACHE: join(ROOT, '.data/compile-cache'),
  // What tap runs before and after the files would measure its coverage otherwise, and tap print a table of it.
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  ...process.env,
  ...(args.includes('--long') ? { GROUNDWORK_LONG: '1' } : {}),
}

const forTap = args.filter((arg) => arg !== '--long' && arg !== '--processes')
const files = forTap.filter((arg) => !arg.startsWith('-') && existsSync(join(ROOT, arg)))
const folders = files.filter((arg) => statSync(join(ROOT, arg)).isDirectory())

if (!isBuilt() && run(env, 'build') !== 0) process.exit(1)
if (args.includes('--processes')) {
  process.exitCode = run(env, ...PROCESS_OPTIONS, ...forTap, ...processFiles())
} else if (files.length === folders.length) {
  process.exitCode = runPlaces()
} else {
  process.exitCode = run(env, ...forTap)
}

/** Building takes seconds, so it is done once per installation, and again when .taprc leaves out another plugin. */
function isBuilt(): boolean {
  if (!existsSync(BUILT)) return false
  const built = readFileSync(BUILT, 'utf8')
  return LEFT_OUT.every((plugin) => !built.includes(plugin))
}

/** Runs the files that share processes: all of them, or those of folders. */
function runPlaces(): number {
  const queue = createQueue(sharedFiles(folders.length > 0 ? folders : undefined))
  const options = forTap.filter((arg) => !folders.includes(arg))
  try {
    return run({ ...env, [QUEUE]: queue }, ...options, ...PLACES)
  } finally {
    rmSync(queue, { recursive: true, force: true })
  }
}

/** Returns the exit code. */
function run(env: NodeJS.ProcessEnv, ...tapArgs: string[]): number {
  const { status, error } = spawnSync('tap', tapArgs, { cwd: ROOT, env, stdio: 'inherit' })
  if (error) throw error
  return status ?? 1
}
