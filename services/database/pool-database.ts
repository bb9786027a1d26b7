import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import type { Database, Statement } from './database.ts'
import { breaksConnection, databaseError, unavailable } from './errors.ts'
import { Pipeline } from './pipeline.ts'

/** Is told what the database does; times are in seconds. */
export interface DatabaseObserver {
  queried(statement: string, seconds: number): void
  waited(seconds: number): void
}

/** A client of the pool, or the pipeline. */
interface Connection {
  query<Row extends object>(statement: QueryConfig): Promise<QueryResult<Row>>
}

/** The database behind a pool of connections. */
export class PoolDatabase implements Database {
  readonly #pool: Pool
  readonly #pipeline: Pipeline
  readonly #observer: DatabaseObserver
  readonly #maxWaiting: number

  /** @param options.maxWaiting callers that may wait for a connection; those beyond are refused at once */
  constructor(pool: Pool, observer: DatabaseObserver, { maxWaiting = Number.POSITIVE_INFINITY } = {}) {
    this.#pool = pool
    this.#maxWaiting = maxWaiting
    this.#pipeline = new Pipeline(pool)
    this.#observer = observer
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    if (statement.pipelined === true) return run<Row>(this.#pipeline, statement, this.#observer)
    return this.#withClient((client) => run<Row>(client, statement, this.#observer))
  }

  transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return this.#withClient(async (client) => {
      await command(client, 'BEGIN')
      try {
        const result = await work(new TransactionDatabase(client, this.#observer))
        await command(client, 'COMMIT')
        return result
      } catch (error) {
        await command(client, 'ROLLBACK')
        throw error
      }
    })
  }

  /** Gives the pipeline's connection back to the pool, which is to be ended next. */
  close(): Promise<void> {
    return this.#pipeline.close()
  }

  async #withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    let broken = false
    // A checked-out client that loses its connection emits an error, which would end the process unheard.
    const onError = () => {
      broken = true
    }
    client.on('error', onError)
    try {
      return await work(client)
    } catch (error) {
      // A connection in an unknown state must not serve anyone else.
      broken ||= error instanceof BrokenConnection || breaksConnection(error)
      throw error instanceof BrokenConnection ? databaseError(error.cause) : error
      /* c8 ignore next -- V8 counts a way out that is none: after the catch. */
    } finally {
      client.off('error', onError)
      client.release(broken)
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
      /* c8 ignore next -- As above. */
    } finally {
      this.#observer.waited((performance.now() - start) / 1000)
    }
  }
}

/** The connection of a transaction; transactions inside it join it. */
class TransactionDatabase implements Database {
  readonly #client: ClientBase
  readonly #observer: DatabaseObserver

  constructor(client: ClientBase, observer: DatabaseObserver) {
    this.#client = client
    this.#observer = observer
  }

  query<Row extends object>(statement: Statement): Promise<Row[]> {
    return run<Row>(this.#client, statement, this.#observer)
  }

  transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    return work(this)
  }
}

/** A transaction command failed, so nobody knows what state the connection is in. */
class BrokenConnection extends Error {}

async function command(client: ClientBase, text: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const result = await client.query(text).catch((error: unknown) => {
    throw new BrokenConnection(`${text} failed`, { cause: error })
  })
  // PostgreSQL answers COMMIT with ROLLBACK when a statement failed and its error was swallowed.
  if (result.command !== text) throw new Error(`${text} became ${result.command}`)
}

async function run<Row extends object>(
  connection: Connection,
  { name, text, values = [], prepare = true }: Statement,
  observer: DatabaseObserver,
): Promise<Row[]> {
  const start = performance.now()
  try {
    const result = await connection.query<Row>({ ...(prepare ? { name } : {}), text, values: [...values] })
    return result.rows
  } catch (error) {
    throw databaseError(error)
    /* c8 ignore next -- As above. */
  } finally {
    observer.queried(name, (performance.now() - start) / 1000)
  }
}
