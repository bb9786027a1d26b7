import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that a scrape waits for what the database counts. */
const TIMEOUT_MS = 1000

/**
 * One question for all who ask at the same time; undefined when there is no answer in time, for the other
 * metrics are wanted most when the database is in trouble.
 */
export function shareWhilePending<T>(ask: () => Promise<T>): () => Promise<T | undefined> {
  let pending: Promise<T | undefined> | undefined
  return () => {
    pending ??= ask()
      .catch(() => undefined)
      .finally(() => {
        pending = undefined
      })
    return Promise.race([pending, sleep(TIMEOUT_MS, undefined, { ref: false })])
  }
}
