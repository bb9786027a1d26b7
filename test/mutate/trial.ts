import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** How the tests ended: they passed, a test failed, or they did not end in time. */
export type Verdict = 'passed' | 'failed' | 'timeout'

/**
 * Runs test files one after the other in a copy of the project, until one fails. Each is a process group of its own,
 * which is ended with it.
 *
 * @param milliseconds for all of them
 */
export async function runTests(
  directory: string,
  tests: readonly string[],
  milliseconds: number,
): Promise<Verdict> {
  const deadline = performance.now() + milliseconds
  for (const test of tests) {
    const verdict = await runTest(directory, test, deadline - performance.now())
    if (verdict !== 'passed') return verdict
  }
  return 'passed'
}

function runTest(directory: string, test: string, milliseconds: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [test], {
      cwd: directory,
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        // Of tap: report to a parent, stop at the first failure, no time limit of its own.
        TAP: '1',
        TAP_BAIL: '1',
        TAP_TIMEOUT: '0',
        NODE_COMPILE_CACHE: join(directory, '.data/compile-cache'),
      },
    })
    let verdict: Verdict = 'timeout'
    const timer = setTimeout(() => endGroup(child.pid), Math.max(0, milliseconds))
    child.once('exit', (code) => {
      if (code !== null) verdict = code === 0 ? 'passed' : 'failed'
      clearTimeout(timer)
      // What it started and left behind.
      endGroup(child.pid)
      resolve(verdict)
    })
  })
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
