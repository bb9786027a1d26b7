/**
 * Runs tap for npm's scripts, with the arguments that it is given: `npm test -- test/files.test.ts`. Builds tap first
 * where that was not done with the plugins of .taprc, and keeps Node's compile cache. Without a file, all files that
 * share processes run, or those of a folder that it is given (test/support/place.ts). `--long` asks for the large numbers
 * of generated cases (test/support/amount.ts), `--processes` for the files that start processes.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { offerHelp } from '#commands/run-command.ts'
import { reportProgress } from './support/progress.ts'
import { createQueue, processFiles, QUEUE, sharedFiles } from './support/shared-files.ts'

const USAGE = `Usage: npm test [-- FOLDER|FILE...] [tap's options]
       npm run test:long [-- FOLDER|FILE...]
       npm run test:processes
`

offerHelp(USAGE)

const ROOT = join(import.meta.dirname, '..')
const BUILT = join(ROOT, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')
/** Plugins that .taprc leaves out. */
const LEFT_OUT = [...readFileSync(join(ROOT, '.taprc'), 'utf8').matchAll(/"!(.+)"/g)].map(
  ([, name = '']) => name,
)
const TEARDOWN = join(ROOT, 'test/global-teardown.ts')
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
const PLACES = globSync('test/places/*.ts', { cwd: ROOT }).sort()

/** One more at once than the places of .taprc: what starts processes waits for them a third of its time. */
const PROCESS_OPTIONS = ['--jobs=6']

const args = process.argv.slice(2)

const env: NodeJS.ProcessEnv = {
  NODE_COMPILE_CACHE: join(ROOT, '.data/compile-cache'),
  // By paths from there, so that copies of the tree find what was compiled here (test/support/project-copy.ts).
  NODE_COMPILE_CACHE_PORTABLE: '1',
  // What tap runs before and after the files would measure its coverage otherwise, and tap print a table of it.
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  ...process.env,
  ...(args.includes('--long') ? { GROUNDWORK_LONG: '1' } : {}),
}

const forTap = args.filter((arg) => arg !== '--long' && arg !== '--processes')
const files = forTap.filter((arg) => !arg.startsWith('-') && existsSync(join(ROOT, arg)))
const folders = files.filter((arg) => statSync(join(ROOT, arg)).isDirectory())

/** The signal that ended the run, if one did. */
let ending: NodeJS.Signals | undefined

process.exitCode = await main()
if (ending !== undefined) await endTestServer()

async function main(): Promise<number> {
  if (!isBuilt() && (await run(env, 'build')) !== 0) return 1
  if (args.includes('--processes')) return run(env, ...PROCESS_OPTIONS, ...forTap, ...processFiles())
  return files.length === folders.length ? runPlaces() : run(env, ...forTap)
}

/** Building takes seconds, so it is done once per installation, and again when .taprc leaves out another plugin. */
function isBuilt(): boolean {
  if (!existsSync(BUILT)) return false
  const built = readFileSync(BUILT, 'utf8')
  return LEFT_OUT.every((plugin) => !built.includes(plugin))
}

/** Runs the files that share processes: all of them, or those of folders. */
async function runPlaces(): Promise<number> {
  const queue = createQueue(sharedFiles(folders.length > 0 ? folders : undefined))
  const options = forTap.filter((arg) => !folders.includes(arg))
  // Of a place, tap says nothing before it ends.
  const stop = reportProgress(queue, process.stderr)
  try {
    return await run({ ...env, [QUEUE]: queue }, ...options, ...PLACES)
  } finally {
    stop()
    rmSync(queue, { recursive: true, force: true })
  }
}

/** Returns the exit code. */
async function run(env: NodeJS.ProcessEnv, ...tapArgs: string[]): Promise<number> {
  const tap = spawn('tap', tapArgs, { cwd: ROOT, env, stdio: 'inherit' })
  const end = (signal: NodeJS.Signals) => {
    ending = signal
    tap.kill(signal)
  }
  for (const signal of SIGNALS) process.on(signal, end)
  try {
    const [status]: (number | null)[] = await once(tap, 'exit')
    return ending === undefined ? (status ?? 1) : 128 + constants.signals[ending]
  } finally {
    for (const signal of SIGNALS) process.off(signal, end)
  }
}

/** tap does it after the last file, and not when it is ended. */
async function endTestServer(): Promise<void> {
  const teardown = spawn(process.execPath, [TEARDOWN], { cwd: ROOT, stdio: 'inherit', detached: true })
  await once(teardown, 'exit')
}
