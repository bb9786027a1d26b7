/** Milliseconds in which an event loop that has nothing left to do has ended. */
const LAST_TURNS = 500

/**
 * Ends the process as soon as nothing runs in it any more, and in a moment whatever still does.
 *
 * `process.exit` is not the way: it waits for libuv's thread pool, and a native computation or a file operation that
 * never returns would keep the process for ever (docs/decisions/038).
 */
export function endWhenIdle(code: number): void {
  process.exitCode = code
  process.channel?.unref()
  setTimeout(endNow, LAST_TURNS, code).unref()
}

/** Ends the process whatever its threads do: another program takes its place (execve), and returns the code. */
export function endNow(code: number): never {
  // Node knows no execve on Windows.
  process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {})
  process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}
