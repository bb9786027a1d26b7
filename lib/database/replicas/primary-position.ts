import type { Database, Statement } from '../database.ts'

/** How far the primary has come: a standby that has replayed this far has all that was committed before the question. */
export interface Position {
  /** A place in its log, as PostgreSQL writes it: `16/B374D848`. */
  readonly lsn: string
  /** When the primary of now was first seen, by its own clock. */
  readonly since: string
  /** Its clock, in milliseconds since 1970. */
  readonly now: number
}

interface Row {
  readonly lsn: string
  readonly timeline: string
  readonly now: string
}

/**
 * A commit is in the log on the disk, unless commits do not wait for the disk. The timeline is another after
 * each promotion. Fails on a standby, which has no position of its own.
 */
const READ_POSITION: Statement = {
  name: 'readPrimaryPosition',
  text: `SELECT lsn::text AS lsn, left(pg_walfile_name(lsn), 8) AS timeline, clock_timestamp() AS now
         FROM (SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
                      ELSE pg_current_wal_flush_lsn() END AS lsn) AS position`,
  pipelined: true,
}

/**
 * Asks the primary how far it has come. Callers share a question that was not sent before they came, so there is one
 * under way at a time however many ask.
 */
export class PrimaryPosition {
  readonly #db: Database
  #current: Promise<unknown> = Promise.resolve()
  #next: Promise<Position> | undefined
  #timeline = ''
  #since = ''

  constructor(db: Database) {
    this.#db = db
  }

  /**
   * Returns a position that the primary reached after this was called.
   *
   * @throws DatabaseUnavailable when the primary does not answer; the driver's error when it is a standby
   */
  read(): Promise<Position> {
    this.#next ??= this.#current.then(() => {
      const asked = this.#ask()
      this.#next = undefined
      this.#current = asked.catch(() => undefined)
      return asked
    })
    return this.#next
  }

  async #ask(): Promise<Position> {
    const [row] = await this.#db.query<Row>(READ_POSITION)
    if (row === undefined) throw new Error('the primary says nothing of its position')
    const { lsn, timeline, now } = row
    if (timeline !== this.#timeline) {
      this.#timeline = timeline
      this.#since = now
    }
    return { lsn, since: this.#since, now: Date.parse(now) }
  }
}
