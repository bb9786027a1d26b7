import { createLru } from '#lib/cache/lru.ts'
import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import type { ApiKeyCaller } from './caller.ts'
import { type Use, updateLastUses } from './queries.ts'

/** A key's use is written once in this time. */
const INTERVAL_MS = 60_000
/** For how long uses are collected, to be written together. */
const COLLECT_MS = 500
/** Keys that are remembered as written; a key beyond them costs a statement that changes nothing. */
const MAX_KEYS = 50_000
/** Uses that one statement writes. */
const BATCH_ROWS = 1000

/**
 * Writes when keys were last used, away from their requests: at most once a minute for each, many in one statement. A
 * write that fails is lost, and the next minute's has its place.
 */
export class LastUses {
  readonly #db: SystemDatabase
  readonly #warn: (error: unknown) => void
  // A little longer, so that a use is never just too early for the statement, which would then wait for another turn.
  readonly #written = createLru<true>(MAX_KEYS, { ttl: INTERVAL_MS + 2 * COLLECT_MS })
  #collected: Use[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(db: Database, log: Log) {
    this.#db = new SystemDatabase(db)
    this.#warn = warnOfTrouble(log, 'could not write when API keys were last used')
  }

  /** Notes that a key was used from an address. */
  note({ org, id }: Pick<ApiKeyCaller, 'org' | 'id'>, ip: string): void {
    if (this.#written.has(id)) return
    this.#written.set(id, true)
    this.#collected.push({ org, id, ip })
    this.#timer ??= setTimeout(() => this.#flush(), COLLECT_MS).unref()
  }

  /** Writes what is collected. */
  async close(): Promise<void> {
    this.#flush()
    await this.#writing
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = this.#collected
    this.#collected = []
    this.#writing = this.#writing.then(() => this.#write(uses))
  }

  async #write(uses: readonly Use[]): Promise<void> {
    try {
      for (let start = 0; start < uses.length; start += BATCH_ROWS) {
        await updateLastUses(this.#db, uses.slice(start, start + BATCH_ROWS))
      }
    } catch (error) {
      this.#warn(error)
    }
  }
}
