import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { Caller } from './caller.ts'
import type { Database, Statement } from './database.ts'
import { breaksConnection, callerLeft, databaseError, lostRace, unavailable } from './errors.ts'
import { Pipeline } from './pipeline.ts'
import { type DatabaseObserver, run } from './run.ts'
import { Session } from './session.ts'
import { BrokenConnection, runTransaction } from './transaction-database.ts'
import { Watch } from './watch.ts'

/** How often a transaction, or a statement of its own, is begun in all when it loses races to others. */
const MAX_ATTEMPTS = 3
/** Milliseconds before the second attempt at most, twice that before the third; the pause is random. */
const MAX_PAUSE_MS = 50

/** The database behind a pool of connections. */
export class PoolDatabase implements Database {
  readonly #pool: Pool
  readonly #pipeline: Pipeline
  readonly #observer: DatabaseObserver
  readonly #maxWaiting: number
  readonly #maxAttempts: number

  /**
   * @param options.maxWaiting callers that may wait for a connection; those beyond are refused at once
   * @param options.maxAttempts how often work is begun in all when it loses races to others
   */
  constructor(
    pool: Pool,
    observer: DatabaseObserver,
    { maxWaiting = Number.POSITIVE_INFINITY, maxAttempts = MAX_ATTEMPTS } = {},
  ) {
    this.#pool = pool
    this.#maxWaiting = maxWaiting
    this.#maxAttempts = maxAttempts
    this.#pipeline = new Pipeline(pool)
    this.#observer = observer
  }

  query<Row extends object>(statement: Statement, caller?: Caller): Promise<Row[]> {
    const answered = this.#repeating(caller, () =>
      // What many share is not cancelled for one of them; it is short anyway.
      statement.pipelined === true
        ? run<Row>(this.#pipeline, statement, this.#observer)
        : this.#withClient(caller, (client, watch) => run<Row>(client, statement, this.#observer, { watch })),
    )
    return statement.emits ? this.#emitting(answered) : answered
  }

  transaction<T>(work: (db: Database) => Promise<T>, caller?: Caller): Promise<T> {
    return this.#repeating(caller, () =>
      this.#withClient(caller, (client, watch) => runTransaction(client, work, this.#observer, watch)),
    )
  }

  /**
   * Runs statements that only read, all by one server. That takes a transaction only behind a pooler: it may have each
   * statement done by another.
   */
  onOneServer<T>(work: (db: Pick<Database, 'query'>) => Promise<T>, caller?: Caller): Promise<T> {
    return this.#repeating(caller, () =>
      this.#withClient(caller, (client, watch) => {
        if (client instanceof Session && client.isPooled)
          return runTransaction(client, work, this.#observer, watch)
        return work({ query: (statement) => run(client, statement, this.#observer, { watch }) })
      }),
    )
  }

  /**
   * The same for a caller who may leave. What is under way then is given up: a wait for a connection, a
   * statement, a transaction that is not committing yet. What is begun later, to tidy up, is not.
   */
  forCaller(caller: Caller): Database {
    return {
      query: (statement) => this.query(statement, caller),
      transaction: (work) => this.transaction(work, caller),
    }
  }

  /** Returns the pipeline's connection to the pool, which is to be ended next. */
  close(): Promise<void> {
    return this.#pipeline.close()
  }

  /** Does it again from the start when the whole of it was undone because others got in its way. */
  async #repeating<T>(caller: Caller | undefined, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        const state = lostRace(error)
        if (state === undefined || attempt === this.#maxAttempts || caller?.isGone()) throw error
        this.#observer.repeated(state)
      }
      await sleep(Math.random() * MAX_PAUSE_MS * attempt)
    }
  }

  async #emitting<T>(committed: Promise<T>): Promise<T> {
    const result = await committed
    this.#observer.emitted?.()
    return result
  }

  async #withClient<T>(
    caller: Caller | undefined,
    work: (client: PoolClient, watch: Watch | undefined) => Promise<T>,
  ): Promise<T> {
    const present = caller?.isGone() ? undefined : caller
    const client = await this.#connect()
    if (present?.isGone()) {
      client.release()
      throw callerLeft()
    }
    const watch = present && new Watch(client, present, () => this.#observer.cancelled())
    let broken = false
    // A checked-out client that loses its connection emits an error, which would end the process unheard.
    const onError = () => {
      broken = true
    }
    client.on('error', onError)
    try {
      return await work(client, watch)
    } catch (error) {
      // A connection in an unknown state must not serve anyone else.
      broken ||= error instanceof BrokenConnection || breaksConnection(error)
      throw error instanceof BrokenConnection ? databaseError(error.cause) : error
      /* c8 ignore next -- V8 counts a branch that does not exist: after the catch. */
    } finally {
      watch?.stop()
      client.off('error', onError)
      client.release(broken || watch?.isUncertain)
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#pool.waitingCount >= this.#maxWaiting) {
      throw unavailable(new Error('too many callers wait for a database connection'))
    }
    const start = performance.now()
    try {
      return await this.#pool.connect()
    } catch (error) {
      throw databaseError(error)
      /* c8 ignore next -- V8 counts a branch that does not exist: after the catch. */
    } finally {
      this.#observer.waited((performance.now() - start) / 1000)
    }
  }
}
