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
  readonly #begun: Promise<void>
  /** Set by the last statement that was sent; it ends with the transaction. */
  #scope: Scope = NO_SCOPE

  constructor(
    client: ClientBase,
    observer: DatabaseObserver,
    watch: Watch | undefined,
    begun: Promise<void>,
  ) {
    this.#client = client
    this.#observer = observer
    this.#watch = watch
    this.#begun = begun
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    const { scope = NO_SCOPE, ...unscoped } = statement
    const isSet = isSameScope(scope, this.#scope)
    this.#scope = scope
    const sent = isSet ? unscoped : { ...unscoped, scope }
    const rows = await run<Row>(this.#client, sent, this.#observer, this.#watch)
    // It was answered before; without it nothing more is to be done.
    await this.#begun
    return rows
  }

  transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return work(this)
  }
}

/** A transaction command failed, so nobody knows what state the connection is in. */
export class BrokenConnection extends Error {}

/** Runs `work` in a transaction on a connection of the pool. BEGIN goes along with its first statements. */
export async function runTransaction<T>(
  client: PoolClient,
  work: (db: Database) => Promise<T>,
  observer: DatabaseObserver,
  watch: Watch | undefined,
): Promise<T> {
  const begun = command(client, 'BEGIN')
  begun.catch(() => undefined)
  watch?.waitFor(begun)
  try {
    const result = await work(new TransactionDatabase(client, observer, watch, begun))
    await begun
    // Nobody waits for it any more, and nothing is done yet. From here on it is too late to change one's mind.
    watch?.assertPresent()
    await command(client, 'COMMIT')
    return result
  } catch (error) {
    await begun
    await command(client, 'ROLLBACK')
    throw error
  }
}

async function command(client: ClientBase, text: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const result = await client.query(text).catch((error: unknown) => {
    throw new BrokenConnection(`${text} failed`, { cause: error })
  })
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed and its error was swallowed.
  if (result.command !== text) throw new Error(`${text} became ${result.command}`)
}
