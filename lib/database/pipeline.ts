import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { breaksConnection } from './errors.ts'
import type { Scope } from './scope.ts'
import { send } from './send.ts'
import { prepares } from './session.ts'

/**
 * One connection of the pool, kept for good and shared by all callers: statements are sent without waiting
 * for the answers to those before them, which triples what a connection does (docs/architecture.md). The
 * pool's clients must have been made with `pipeline: true`. After an error the next call takes a new one.
 */
export class Pipeline {
  readonly #pool: Pool
  #connecting: Promise<PoolClient> | undefined
  #client: PoolClient | undefined
  #isGathering = false

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async query<Row extends object>(statement: QueryConfig, scope?: Scope): Promise<QueryResult<Row>> {
    this.#connecting ??= this.#connect()
    const client = await this.#connecting
    this.#gather(client)
    try {
      return await send<Row>(client, prepares(client) ? statement : { ...statement, name: undefined }, {
        scope,
      })
    } catch (error) {
      // The socket may take a moment to close, and the next statement is not to go there.
      if (breaksConnection(error)) this.#release(client, true)
      throw error
    }
  }

  /** Returns the connection to the pool; statements in progress finish first. */
  async close(): Promise<void> {
    const client = await this.#connecting?.catch(() => undefined)
    if (client) this.#release(client, false)
  }

  /** Has what is asked in this turn of the event loop written at its end, at once: each write wakes PostgreSQL. */
  #gather({ connection }: PoolClient): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = connection
    stream.cork()
    setImmediate(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  async #connect(): Promise<PoolClient> {
    try {
      const client = await this.#pool.connect()
      client.on('error', () => this.#release(client, true))
      this.#client = client
      return client
    } catch (error) {
      this.#connecting = undefined
      throw error
    }
  }

  /** Once for each connection, for many statements see it break. From then on its errors are the pool's. */
  #release(client: PoolClient, broken: boolean): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.#connecting = undefined
    client.removeAllListeners('error')
    client.release(broken)
  }
}
