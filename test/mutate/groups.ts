import { spawn } from 'node:child_process'

/**
 * Runs one of the scripts that tap runs before and after all tests.
 *
 * @param onStart takes the script's group of processes
 */
export function runScript(
  directory: string,
  script: string,
  onStart?: (group: number | undefined) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    onStart?.(child.pid)
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${script} ended with ${code}`))
    })
  })
}

/** Ends a process that leads a group, and those that it started. */
export function endGroup(pid: number | undefined): void {
  if (!pid) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
