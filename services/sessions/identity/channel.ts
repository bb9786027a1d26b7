import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#lib/context.ts'
import { endConnection } from '#lib/database/end-connection.ts'
import { type ConnectionOptions, Session } from '#lib/database/session.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'

/** Channel of migrations/002. */
const CHANNEL = 'identity'
/** Milliseconds between signs of life. */
const HEARTBEAT = 250
/** Milliseconds without one after which nothing that was heard is trusted any more. */
const SILENCE = 900

/** Is told of changes. */
export interface ChannelListener {
  forgetSession(id: string): void
  forgetUser(id: string): void
  forgetAll(): void
}

/**
 * Hears from PostgreSQL (LISTEN) that a user or a session changed, wherever it was changed. The connection
 * is its own, and is asked for a sign of life all the time: the server delivers what is pending before it
 * answers, so an answer says that nothing older was missed. After a loss it connects again, and everything
 * that was kept is forgotten. A pooler (PgBouncer) may answer on another connection than the one that
 * listens, so by way of one nothing is ever trusted.
 */
export class IdentityChannel {
  readonly #connection: ConnectionOptions
  readonly #listener: ChannelListener
  readonly #log: Log
  readonly #lost: (error: unknown) => void
  readonly #stop = new AbortController()
  #heardAt = Number.NEGATIVE_INFINITY
  /** The database's clock after that. */
  #clock = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined

  constructor(connection: ConnectionOptions, listener: ChannelListener, log: Log) {
    this.#connection = connection
    this.#listener = listener
    this.#log = log
    this.#lost = warnOfTrouble(log, 'lost the identity channel')
  }

  /** Whether every change that is older than a second has been heard of. */
  isTrusted(): boolean {
    return performance.now() - this.#heardAt < SILENCE
  }

  /** The database's time in milliseconds since 1970: rather some milliseconds late than early. */
  now(): number {
    return this.#clock + performance.now() - this.#heardAt
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#listen()
      } catch (error) {
        if (error instanceof PoolerBetween) {
          this.#log.warn({ err: error }, 'each request asks the database for the identity')
          return
        }
        if (!this.#stop.signal.aborted) this.#lost(error)
      }
      await this.#pause(HEARTBEAT)
    }
  }

  async #listen(): Promise<void> {
    const client = new Session({
      ...this.#connection,
      application_name: 'groundwork-identity',
      connectionTimeoutMillis: 2000,
      query_timeout: SILENCE,
    })
    let lost: Error | undefined
    client.on('error', (error) => {
      lost = error
    })
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''))
    try {
      await client.connect()
      if (client.isPooled) throw new PoolerBetween('there is a pooler before PostgreSQL')
      await client.query(`LISTEN ${CHANNEL}`)
      // What was kept before we listened may have changed unheard.
      this.#listener.forgetAll()
      while (!this.#stop.signal.aborted && lost === undefined) {
        const asked = performance.now()
        const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')
        this.#clock = rows[0]?.now.getTime() ?? Number.POSITIVE_INFINITY
        this.#heardAt = asked
        await this.#pause(HEARTBEAT)
      }
      if (lost !== undefined) throw lost
    } finally {
      this.#heardAt = Number.NEGATIVE_INFINITY
      await endConnection(client)
    }
  }

  #hear(payload: string): void {
    const [kind, id = ''] = payload.split(':')
    if (kind === 'user') this.#listener.forgetUser(id)
    else if (kind === 'session') this.#listener.forgetSession(id)
  }

  /** Ends early when the channel is closed. */
  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }
}

/** The connection does not lead straight to PostgreSQL. */
class PoolerBetween extends Error {}
