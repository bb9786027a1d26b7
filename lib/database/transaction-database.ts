import type { ClientBase, PoolClient } from 'pg'
import type { Database, Statement } from './database.ts'
import { type DatabaseObserver, run } from './run.ts'
import { isSameScope, NO_SCOPE, type Scope } from './scope.ts'
import type { Watch } from './watch.ts'

/** The connection of a transaction; transactions inside it join it. */
class TransactionDatabase implements Database {
  readonly #client: ClientBase
  readonly #observer: DatabaseObserver
  readonly #watch: Watch | undefined
  #begun: Promise<void> | undefined
  /** Set by the last statement that was sent; it ends with the transaction. */
  #scope: Scope = NO_SCOPE
  #emits = false

  constructor(client: ClientBase, observer: DatabaseObserver, watch: Watch | undefined) {
    this.#client = client
    this.#observer = observer
    this.#watch = watch
  }

  /** Resolves when BEGIN has been answered; undefined before the first statement, when there is nothing to end. */
  get begun(): Promise<void> | undefined {
    return this.#begun
  }

  /** Whether a statement wrote events. */
  get emits(): boolean {
    return this.#emits
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    this.#emits ||= statement.emits === true
    if (this.#begun === undefined) return this.#begin<Row>(statement)
    // One that comes while the first is under way must not be sent before it is certain that it began a transaction.
    await this.#begun
    return this.#run<Row>(statement)
  }

  transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return work(this)
  }

  async #begin<Row extends object>(statement: Statement): Promise<Row[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => undefined)
    this.#begun = promise
    try {
      return await this.#run<Row>(statement, resolve)
    } catch (error) {
      reject(new BrokenConnection('BEGIN failed', { cause: error }))
      throw error
    }
  }

  #run<Row extends object>(statement: Statement, onBegin?: () => void): Promise<Row[]> {
    const { scope = NO_SCOPE, ...unscoped } = statement
    const isSet = isSameScope(scope, this.#scope)
    this.#scope = scope
    const sent = isSet ? unscoped : { ...unscoped, scope }
    return run<Row>(this.#client, sent, this.#observer, { watch: this.#watch, onBegin })
  }
}

/** A transaction command failed, so nobody knows what state the connection is in. */
export class BrokenConnection extends Error {}

/** Runs `work` in a transaction on a connection of the pool. BEGIN goes along with its first statement. */
export async function runTransaction<T>(
  client: PoolClient,
  work: (db: Database) => Promise<T>,
  observer: DatabaseObserver,
  watch: Watch | undefined,
): Promise<T> {
  const db = new TransactionDatabase(client, observer, watch)
  try {
    const result = await work(db)
    await db.begun
    // Nobody waits for it any more, and nothing is done yet. From here on it is too late to change one's mind.
    watch?.assertPresent()
    if (db.begun !== undefined) await command(client, 'COMMIT')
    if (db.emits) observer.emitted?.()
    return result
  } catch (error) {
    await db.begun
    if (db.begun !== undefined) await command(client, 'ROLLBACK')
    throw error
  }
}

async function command(client: ClientBase, text: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const result = await client.query(text).catch((error: unknown) => {
    throw new BrokenConnection(`${text} failed`, { cause: error })
  })
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed and its error was swallowed.
  if (result.command !== text) throw new Error(`${text} became ${result.command}`)
}
