import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import { answerWithin } from '#lib/waiting/patience.ts'

/** Milliseconds between pings of the server. */
const PING_INTERVAL_MS = 10_000

/** An open connection, with what speaks JetStream over it. */
export interface NatsSession {
  readonly connection: NatsConnection
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
}

export interface NatsSettings {
  /** Servers of one cluster; user, password and token are those of the first. */
  readonly urls: readonly string[]
  /** Milliseconds that connecting may take. */
  readonly timeoutMs: number
  /** Makes a new connection fit for use, or refuses it. */
  readonly prepare: (session: NatsSession) => Promise<void>
}

/**
 * A connection to NATS that is opened when it is asked for and dropped at the first sign of trouble, with all that waits
 * for it. The client's own reconnecting keeps what is sent meanwhile in memory, without a bound.
 */
export class NatsLink {
  readonly #settings: NatsSettings
  #session: Promise<NatsSession> | undefined
  #open: NatsSession | undefined
  #isClosed = false

  constructor(settings: NatsSettings) {
    this.#settings = settings
  }

  /** Whether there is a connection that has not shown trouble. */
  get isUp(): boolean {
    return this.#open !== undefined
  }

  /**
   * Returns the connection, and opens it first if need be.
   *
   * @throws what kept it from being opened
   */
  session(): Promise<NatsSession> {
    if (this.#isClosed) return Promise.reject(new Error('the connection to NATS is closed'))
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined
      throw error
    })
    return this.#session
  }

  /** Drops a connection that does not work; has no effect if it is no longer the current one. */
  abandon(session: NatsSession): void {
    if (this.#open !== session) return
    this.#open = undefined
    this.#session = undefined
    close(session.connection)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#session?.catch(() => undefined)
    if (this.#open) this.abandon(this.#open)
  }

  async #connect(): Promise<NatsSession> {
    const { urls, timeoutMs, prepare } = this.#settings
    const connection = await connect({ ...optionsOf(urls), timeout: timeoutMs })
    try {
      // Nothing is asked of the server before it is needed.
      const client = jetstream(connection, { timeout: timeoutMs })
      const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false })
      const session = { connection, client, manager }
      await answerWithin(prepare(session), timeoutMs)
      this.#open = session
      void connection.closed().then(() => this.abandon(session))
      return session
    } catch (error) {
      close(connection)
      throw error
    }
  }
}

function optionsOf(urls: readonly string[]): ConnectionOptions {
  const parsed = urls.map((url) => new URL(url))
  const [{ username = '', password = '' } = {}] = parsed
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)]
  return {
    name: 'groundwork',
    servers: parsed.map(({ host }) => host),
    reconnect: false,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    ...(user === '' ? {} : pass === '' ? { token: user } : { user, pass }),
    ...(parsed.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  }
}

/** Closes without waiting: a server that hangs would keep it. */
function close(connection: NatsConnection): void {
  connection.close().catch(() => undefined)
}
