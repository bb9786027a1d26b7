import pg from 'pg'
import { pause, repeatUntil } from '#lib/waiting/repeat.ts'
import { endConnection } from './end-connection.ts'
import { type ConnectionOptions, Session } from './session.ts'

/** A channel, how its connection is watched, and who is told. */
export interface ListenerOptions {
  readonly connection: ConnectionOptions
  readonly channel: string
  /** Milliseconds between signs of life. */
  readonly beatIntervalMs: number
  /** Milliseconds before a lost connection is made again. */
  readonly retryIntervalMs: number
  /** Asks for a sign of life; fails when the connection is lost. */
  readonly beat?: (client: Session) => Promise<unknown>
  heard(payload: string): void
  /** Listening, perhaps again: what came before was not heard. */
  connected?(): void
  /** Called at each failure to connect, and whenever a connection is lost. */
  lost(error: unknown): void
  /**
   * Called in place of listening when a pooler (PgBouncer) stands between, which may answer on another connection than
   * the one that listens. Then the listener gives up. Without it, it listens all the same.
   */
  readonly pooled?: (error: Error) => void
}

/**
 * Listens to a channel of PostgreSQL (LISTEN) on a connection of its own, and connects again when that is lost, until
 * it is closed. The server delivers what is pending before it answers a beat, so an answer says that nothing older was
 * missed.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Begins to listen as soon as the database is there. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** @throws when it cannot listen in the first place; from then on it keeps trying */
  async open(): Promise<void> {
    this.#running = this.#run(await this.#connect())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(connected?: Session): Promise<void> {
    const { signal } = this.#stop
    if (!(await this.#listen(connected)))
      await repeatUntil(signal, this.#options.retryIntervalMs, () => this.#listen())
  }

  /** Listens until the connection is lost; returns whether the listener has given up. */
  async #listen(connected?: Session): Promise<boolean> {
    let client = connected
    try {
      client ??= await this.#connect()
      await this.#watch(client)
    } catch (error) {
      if (error instanceof PoolerBetween) {
        this.#options.pooled?.(error)
        return true
      }
      if (!this.#stop.signal.aborted) this.#options.lost(error)
    } finally {
      if (client !== undefined) await endConnection(client)
    }
    return false
  }

  async #connect(): Promise<Session> {
    const { connection, channel, heard, pooled, connected } = this.#options
    const client = new Session(connection)
    // Whatever happens to the connection, the next beat fails by it.
    client.on('error', () => undefined)
    client.on('notification', ({ payload }) => heard(payload ?? ''))
    try {
      await client.connect()
      if (pooled && client.isPooled) throw new PoolerBetween('there is a pooler before PostgreSQL')
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      await endConnection(client)
      throw error
    }
    connected?.()
    return client
  }

  /** Resolves when the listener is closed, rejects when the connection is lost. */
  async #watch(client: Session): Promise<void> {
    const { beatIntervalMs, beat = () => client.query('SELECT 1') } = this.#options
    const ended = new AbortController()
    client.once('end', () => ended.abort())
    const either = AbortSignal.any([this.#stop.signal, ended.signal])
    while (!this.#stop.signal.aborted) {
      await beat(client)
      await pause(beatIntervalMs, either)
    }
  }
}

/** The connection does not lead straight to PostgreSQL. */
class PoolerBetween extends Error {}
