import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { endConnection } from '#lib/database/end-connection.ts'
import { type ConnectionOptions, Session } from '#lib/database/session.ts'

/** Milliseconds between signs of life. */
const HEARTBEAT = 10_000
/** Milliseconds before a lost connection is made again. */
const RETRY_DELAY = 1000

/** Is told what a subscription hears. */
export interface Subscriber {
  heard(payload: string): void
  /** Listening, again perhaps: what came before was not heard. */
  connected(): void
  lost(error: unknown): void
}

/**
 * Listens to a channel of PostgreSQL (LISTEN) on a connection of its own, and connects again when that is
 * lost, until it is closed.
 */
export class Subscription {
  readonly #connection: ConnectionOptions
  readonly #channel: string
  readonly #subscriber: Subscriber
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(connection: ConnectionOptions, channel: string, subscriber: Subscriber) {
    this.#connection = connection
    this.#channel = channel
    this.#subscriber = subscriber
  }

  /** @throws when it can't listen in the first place; from then on it keeps trying */
  async open(): Promise<void> {
    this.#running = this.#run(await this.#connect())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(first: pg.Client): Promise<void> {
    for (let client: pg.Client | undefined = first; !this.#stop.signal.aborted; ) {
      try {
        client ??= await this.#connect()
        await this.#watch(client)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#subscriber.lost(error)
        await this.#pause(RETRY_DELAY)
      }
      client = undefined
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new Session({ ...this.#connection, application_name: 'groundwork-jobs' })
    // Whatever happens to the connection, the next sign of life fails by it.
    client.on('error', () => undefined)
    client.on('notification', ({ payload }) => this.#subscriber.heard(`${payload}`))
    try {
      await client.connect()
      await client.query(`LISTEN ${pg.escapeIdentifier(this.#channel)}`)
    } catch (error) {
      await endConnection(client)
      throw error
    }
    this.#subscriber.connected()
    return client
  }

  /** Resolves when the subscription is closed, rejects when the connection is lost. */
  async #watch(client: pg.Client): Promise<void> {
    const ended = new AbortController()
    client.once('end', () => ended.abort())
    try {
      while (!this.#stop.signal.aborted) {
        await client.query('SELECT 1')
        await this.#pause(HEARTBEAT, ended.signal)
      }
    } finally {
      await endConnection(client)
    }
  }

  /** Ends early when the subscription is closed. */
  async #pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const signals = signal === undefined ? [this.#stop.signal] : [this.#stop.signal, signal]
    await sleep(milliseconds, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined)
  }
}
