import { setTimeout as sleep } from 'node:timers/promises'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import { DatabaseUnavailable, databaseError } from './errors.ts'

/** Milliseconds between attempts while the database is away. */
const RETRY_INTERVAL_MS = 1000

/** Milliseconds that a start waits for the first attempt beyond the time in which a connection is made. */
const START_TIMEOUT_MS = 2000

interface Waiting {
  /** Ends the attempts. */
  readonly signal: AbortSignal
  /** Milliseconds after which a connection that is not there yet is given up (`database.connection_timeout`). */
  readonly connectionTimeoutMs: number
  /** Called at each attempt that finds the database away. */
  away(cause: unknown): void
  /** Called when the first attempt takes long; the start then continues without it. */
  slow?(): void
}

/**
 * Does a start's work that needs the database, once it is there. Resolves when the work is done, when the database is
 * away, or after some seconds: a slow start must not look like a process that hangs.
 *
 * @throws what the work throws, unless the database is away. After that nobody waits any more, so it ends the process
 * as an unhandled rejection
 */
export async function whenAvailable(
  work: () => Promise<unknown>,
  { signal, connectionTimeoutMs, away, slow }: Waiting,
): Promise<void> {
  async function attempt(): Promise<boolean> {
    try {
      await work()
      return true
    } catch (thrown) {
      // An end does not wait for the work, and takes the database away from it.
      if (signal.aborted) return false
      const error = databaseError(thrown)
      if (!(error instanceof DatabaseUnavailable)) throw thrown
      away(error.cause)
      return false
    }
  }
  async function finish(first: Promise<boolean>): Promise<void> {
    if (!(await first)) await repeatUntil(signal, RETRY_INTERVAL_MS, attempt)
  }

  const first = attempt()
  const timeout = connectionTimeoutMs + START_TIMEOUT_MS
  const outcome = await Promise.race([first, sleep(timeout, 'slow', { ref: false })])
  if (outcome === true) return
  if (outcome === 'slow') slow?.()
  void finish(first)
}
