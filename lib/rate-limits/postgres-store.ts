import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { answerWithin } from '#lib/waiting/patience.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import * as queries from './queries.ts'
import type { Claim, Grant, Store } from './store.ts'

/** Milliseconds between looks whether it answers again. */
const RETRY_INTERVAL_MS = 500
/** Milliseconds between deletions of what has expired. */
const CLEANUP_INTERVAL_MS = 10_000

export interface PostgresStoreSettings {
  /** Milliseconds from a subject's first claim until its count starts again. */
  readonly windowMs: number
  /** Milliseconds that a claim waits for its answer. */
  readonly timeout: number
}

/**
 * Counts in PostgreSQL: exact while it answers in time. After a failure it is not asked until it has answered
 * a question that no request waited for.
 */
export class PostgresStore implements Store {
  readonly #db: Database
  readonly #settings: PostgresStoreSettings
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly maxClaims = 1000
  #isAvailable = true
  #isRecovering = false
  #cleanedAt = performance.now()

  constructor(db: Database, settings: PostgresStoreSettings, log: Log) {
    this.#db = db
    this.#settings = settings
    this.#log = log
  }

  get isAvailable(): boolean {
    return this.#isAvailable
  }

  async take(claims: readonly Claim[]): Promise<Grant[]> {
    const { windowMs, timeout } = this.#settings
    try {
      const grants = await answerWithin(queries.takePoints(this.#db, claims, windowMs), timeout)
      this.#cleanUp()
      return claims.map(({ subject }) => {
        const grant = grants.get(subject)
        if (grant === undefined) throw new TypeError('a claim was not answered')
        return grant
      })
    } catch (error) {
      this.#isAvailable = false
      if (!this.#isRecovering && !this.#stop.signal.aborted) void this.#recover(error)
      throw error
    }
  }

  /** Asks no more. */
  close(): void {
    this.#stop.abort()
  }

  async #recover(error: unknown): Promise<void> {
    this.#isRecovering = true
    this.#log.warn({ err: error }, 'rate limits are counted by each instance alone')
    await repeatUntil(this.#stop.signal, RETRY_INTERVAL_MS, async () => {
      // With the database's own limits: of a server that hangs, one question at a time is enough.
      this.#isAvailable = await queries.askForAnswer(this.#db).then(
        () => true,
        () => false,
      )
      return this.#isAvailable
    })
    if (!this.#isAvailable) return
    this.#isRecovering = false
    this.#log.info({}, 'rate limits are counted together again')
  }

  #cleanUp(): void {
    const now = performance.now()
    if (now - this.#cleanedAt < CLEANUP_INTERVAL_MS) return
    this.#cleanedAt = now
    // Nobody waits for it, and the next one comes soon.
    queries.deleteExpiredCounts(this.#db).catch(() => undefined)
  }
}
