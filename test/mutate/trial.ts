import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createQueue, QUEUE } from '#test/support/shared-files.ts'
import { endGroup } from './groups.ts'
import type { Project } from './project.ts'

/**
 * How the tests ended: they passed, a test failed, or nothing came for long. With `refused` they passed, but the types or
 * the linter do not accept the change.
 */
export type Verdict = 'passed' | 'failed' | 'timeout' | 'refused'

/** Files that failed; with `timeout` also the one that did not go on. */
export interface Outcome {
  readonly verdict: Verdict
  readonly failed: readonly string[]
}

interface Options {
  /** Whether the files after the first that fails are left out. */
  readonly bail: boolean
  /** How many processes share the files. */
  readonly places?: number
  /** Ends the tests; the outcome means nothing then. */
  readonly signal: AbortSignal
}

/** Milliseconds without a line of a test; what else the machine does may slow it down. */
const SILENCE_MS = 90_000

/**
 * Runs test files in a copy of the project, one after the other in one process or a few, because to start one and build
 * the first application in it takes longer than most files. Each process is a group, which is ended with it.
 */
export async function runTests(
  project: Project,
  tests: readonly string[],
  { bail, places = 1, signal }: Options,
): Promise<Outcome> {
  const queue = createQueue(tests, project.temporary)
  const children = Array.from({ length: Math.min(places, tests.length) }, () =>
    startPlace(project, queue, bail),
  )
  project.watch(...children.map(({ pid }) => pid))
  const ran = await Promise.all(children.map((child) => follow(child, signal)))
  project.watch()
  rmSync(queue, { recursive: true })
  const failed = new Set(ran.flatMap((place) => [...place.failed]))
  if (ran.some(({ isSilent }) => isSilent)) return { verdict: 'timeout', failed: [...failed] }
  // The exit code says nothing of a failure when what a test left behind ends the process.
  const loaded = ran.reduce((sum, place) => sum + place.loaded, 0)
  if (failed.size === 0 && loaded === tests.length) return { verdict: 'passed', failed: [] }
  return { verdict: 'failed', failed: [...failed] }
}

/** Files that a process loaded, and those of them that had a test that failed, or that it ended in. */
interface Ran {
  readonly loaded: number
  readonly failed: ReadonlySet<string>
  readonly isSilent: boolean
}

/** Reads what a process says until it ends, and ends it when it says nothing for long. */
async function follow(child: ChildProcess, signal: AbortSignal): Promise<Ran> {
  const end = () => endGroup(child.pid)
  signal.addEventListener('abort', end)
  let isSilent = false
  const timer = setTimeout(() => {
    isSilent = true
    end()
  }, SILENCE_MS)
  const files = read(child, () => timer.refresh())
  // What the tests started and left behind must not keep the pipe open.
  child.once('exit', end)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  const isWhole = code === 0 && files.isEnded
  if (isSilent || (!isWhole && files.failed.size === 0)) files.failed.add(files.current)
  return { ...files, isSilent }
}

function read({ stdout }: ChildProcess, onLine: () => void) {
  const files = { current: '', loaded: 0, isEnded: false, failed: new Set<string>() }
  if (stdout === null) return files
  createInterface({ input: stdout }).on('line', (line) => {
    onLine()
    // A file begins with a test of its name (test/support/place.ts), and those that it has come after that.
    const [, begun] = /^# Subtest: (test\/\S+\.test\.ts)$/.exec(line) ?? []
    if (begun !== undefined) files.current = begun
    if (/^ok \d+ - test\/\S+\.test\.ts( |$)/.test(line)) files.loaded++
    if (/^(not ok |Bail out!)/.test(line)) files.failed.add(files.current)
    // The plan comes after the last test.
    if (/^1\.\.\d/.test(line)) files.isEnded = true
  })
  return files
}

function startPlace(project: Project, queue: string, bail: boolean): ChildProcess {
  return spawn(process.execPath, ['--import', './test/plain-processes.ts', 'test/places/1.ts'], {
    cwd: project.directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      // Of tap: report to a parent, stop at the first failure, no time limit of its own.
      TAP: '1',
      TAP_BAIL: bail ? '1' : '0',
      TAP_TIMEOUT: '0',
      [QUEUE]: queue,
      TMPDIR: project.temporary,
      NODE_COMPILE_CACHE: join(project.directory, '.data/compile-cache'),
    },
  })
}
