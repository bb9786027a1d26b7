import { existsSync } from 'node:fs'

/** Milliseconds in which an event loop that has nothing left to do has ended. */
const IDLE_TIMEOUT_MS = 500

const SHELL = '/bin/sh'

/**
 * Ends the process as soon as nothing runs in it any more, and in a moment whatever still does.
 *
 * `process.exit` is not the way: it waits for libuv's thread pool, and a native computation or a file operation that
 * never returns would keep the process for ever (docs/decisions/038).
 */
export function endWhenIdle(code: number): void {
  process.exitCode = code
  process.channel?.unref()
  setTimeout(endNow, IDLE_TIMEOUT_MS, code).unref()
}

/** Ends the process whatever its threads do: another program takes its place (execve), and returns the code. */
export function endNow(code: number): never {
  // A shell is there sooner, and further signals do not change its code; the smallest images have none.
  const [file, option, script] = existsSync(SHELL)
    ? [SHELL, '-c', `trap '' TERM INT HUP; exit ${code}`]
    : [process.execPath, '-e', `process.exit(${code})`]
  // Node knows no execve on Windows.
  process.execve?.(file, [file, option, script], {})
  process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}
