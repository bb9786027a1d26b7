import { pause } from '#lib/waiting/repeat.ts'

/** Milliseconds after a failure until it is tried again, where the interval is not shorter. */
const RETRY_DELAY_MS = 15 * 60_000

interface Schedule {
  /** Milliseconds from the beginning of one run to that of the next. */
  readonly interval: number
  /** When the last run began, in milliseconds of the epoch; undefined to run at once. */
  readonly last: number | undefined
  /** Aborts the wait between two runs; a run that has begun is not interrupted. */
  readonly signal: AbortSignal
  /** Is told of a run that failed. */
  readonly failed: (error: unknown) => void
}

/** Runs work again and again until the signal aborts the wait. A run that fails is repeated sooner. */
export async function repeat(
  work: () => Promise<void>,
  { interval, last, signal, failed }: Schedule,
): Promise<void> {
  let next = last === undefined ? Date.now() : last + interval
  for (;;) {
    // A clock that was wrong must not put the next run off for more than the interval.
    await pause(Math.min(Math.max(0, next - Date.now()), interval), signal)
    if (signal.aborted) return
    next = Date.now() + interval
    try {
      await work()
    } catch (error) {
      failed(error)
      next = Date.now() + Math.min(interval, RETRY_DELAY_MS)
    }
  }
}
