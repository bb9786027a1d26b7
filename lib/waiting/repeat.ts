import { setTimeout as sleep } from 'node:timers/promises'

interface PauseOptions {
  /** Whether the wait keeps the process alive; true when left out. */
  readonly ref?: boolean
}

/**
 * Waits, then works, and so on, until the work returns true or the signal is aborted. The wait ends early with the
 * signal; work that has begun is awaited.
 *
 * @throws what the work throws
 */
export async function repeatUntil(
  signal: AbortSignal,
  intervalMs: number,
  work: () => Promise<boolean>,
  options?: PauseOptions,
): Promise<void> {
  let isDone = false
  while (!isDone) {
    await pause(intervalMs, signal, options)
    if (signal.aborted) return
    isDone = await work()
  }
}

/** Waits for some milliseconds, or until the signal is aborted. */
export async function pause(
  milliseconds: number,
  signal: AbortSignal,
  { ref = true }: PauseOptions = {},
): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref }).catch(() => undefined)
}
