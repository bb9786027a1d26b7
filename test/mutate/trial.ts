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

/** Files that failed; with `timeout` the one that did not go on. */
export interface Outcome {
  readonly verdict: Verdict
  readonly failed: readonly string[]
}

interface Options {
  /** Whether the files after the first that fails are left out. */
  readonly bail: boolean
  /** Ends the tests; the outcome means nothing then. */
  readonly signal: AbortSignal
}

/** Milliseconds without a line of a test. */
const SILENCE_MS = 45_000

/**
 * Runs test files in a copy of the project, one after the other in one process, because to start one and build the
 * first application in it takes longer than most files. The process is a group, which is ended with it.
 */
export async function runTests(
  project: Project,
  tests: readonly string[],
  { bail, signal }: Options,
): Promise<Outcome> {
  const queue = createQueue(tests, project.temporary)
  const child = startPlace(project, queue, bail)
  project.watch(child.pid)
  const end = () => endGroup(child.pid)
  signal.addEventListener('abort', end)
  let isSilent = false
  const timer = setTimeout(() => {
    isSilent = true
    end()
  }, SILENCE_MS)
  const files = follow(child, () => timer.refresh())
  // What the tests started and left behind must not keep the pipe open.
  child.once('exit', end)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  project.watch(undefined)
  rmSync(queue, { recursive: true })
  if (isSilent) return { verdict: 'timeout', failed: [files.current] }
  // The exit code says nothing of a failure when what a test left behind ends the process.
  if (code === 0 && files.failed.size === 0 && files.loaded === tests.length) {
    return { verdict: 'passed', failed: [] }
  }
  if (files.failed.size === 0) files.failed.add(files.current)
  return { verdict: 'failed', failed: [...files.failed] }
}

/** Reads which file runs, how many were loaded, and which of them had a test that failed. */
function follow({ stdout }: ChildProcess, onLine: () => void) {
  const files = { current: '', loaded: 0, failed: new Set<string>() }
  if (stdout === null) return files
  createInterface({ input: stdout }).on('line', (line) => {
    onLine()
    // A file begins with a test of its name (test/support/place.ts), and those that it has come after that.
    const [, begun] = /^# Subtest: (test\/\S+\.test\.ts)$/.exec(line) ?? []
    if (begun !== undefined) files.current = begun
    if (/^ok \d+ - test\/\S+\.test\.ts( |$)/.test(line)) files.loaded++
    if (/^(not ok |Bail out!)/.test(line)) files.failed.add(files.current)
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
