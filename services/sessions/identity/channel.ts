import type { Log } from '#lib/context.ts'
import { Listener } from '#lib/database/listener.ts'
import { onlyRow } from '#lib/database/only-row.ts'
import type { ConnectionOptions, Session } from '#lib/database/session.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'

/** Channel of migrations 002, 013 and 015. */
const CHANNEL = 'identity'
const BEAT_INTERVAL_MS = 250
const CONNECT_TIMEOUT_MS = 2000
/** After this long without a sign of life, nothing that was heard is trusted any more. */
const SILENCE_MS = 900

/** Is told of changes. */
export interface ChannelListener {
  forgetSession(id: string): void
  forgetUser(id: string): void
  /** Somebody's rights in an organization changed. */
  forgetMember(org: string, user: string): void
  forgetOrganization(org: string): void
  /** A key of an organization changed. */
  forgetApiKey(org: string, id: string): void
  forgetAll(): void
}

/**
 * Hears from PostgreSQL that a user, a session, a membership or an API key changed, wherever it was changed. After a loss
 * it connects again, and everything that was kept is forgotten. By way of a pooler nothing is ever trusted.
 */
export class IdentityChannel {
  readonly #identities: ChannelListener
  readonly #listener: Listener
  #heardAt = Number.NEGATIVE_INFINITY
  /** The database's clock after that. */
  #clock = Number.NEGATIVE_INFINITY

  constructor(connection: ConnectionOptions, identities: ChannelListener, log: Log) {
    this.#identities = identities
    const warn = warnOfTrouble(log, 'lost the identity channel')
    this.#listener = new Listener({
      connection: {
        ...connection,
        application_name: 'groundwork-identity',
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: SILENCE_MS,
      },
      channel: CHANNEL,
      beatIntervalMs: BEAT_INTERVAL_MS,
      retryIntervalMs: BEAT_INTERVAL_MS,
      beat: (client) => this.#beat(client),
      heard: (payload) => this.#hear(payload),
      // What was kept before we listened may have changed unheard.
      connected: () => identities.forgetAll(),
      lost: (error) => {
        this.#distrust()
        warn(error)
      },
      pooled: (error) => log.warn({ err: error }, 'each request asks the database for the identity'),
    })
  }

  /** Whether every change older than a second has arrived. */
  isTrusted(): boolean {
    return performance.now() - this.#heardAt < SILENCE_MS
  }

  /** The database's time in milliseconds since 1970: rather some milliseconds late than early. */
  now(): number {
    return this.#clock + performance.now() - this.#heardAt
  }

  start(): void {
    this.#listener.start()
  }

  async close(): Promise<void> {
    await this.#listener.close()
    this.#distrust()
  }

  async #beat(client: Session): Promise<void> {
    const asked = performance.now()
    const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    this.#clock = onlyRow(rows).now.getTime()
    this.#heardAt = asked
  }

  #hear(payload: string): void {
    const [kind, id = '', inOrganization = ''] = payload.split(':')
    if (kind === 'user') this.#identities.forgetUser(id)
    else if (kind === 'session') this.#identities.forgetSession(id)
    else if (kind === 'member') this.#identities.forgetMember(id, inOrganization)
    else if (kind === 'organization') this.#identities.forgetOrganization(id)
    else if (kind === 'api_key') this.#identities.forgetApiKey(id, inOrganization)
  }

  #distrust(): void {
    this.#heardAt = Number.NEGATIVE_INFINITY
  }
}

/** Makes one listener of many, which are told in their order; more may be added. */
export function tellAll(listeners: readonly ChannelListener[]): ChannelListener {
  const tell = (about: (listener: ChannelListener) => void) => {
    for (const listener of listeners) about(listener)
  }
  return {
    forgetSession: (id) => tell((listener) => listener.forgetSession(id)),
    forgetUser: (id) => tell((listener) => listener.forgetUser(id)),
    forgetMember: (org, user) => tell((listener) => listener.forgetMember(org, user)),
    forgetOrganization: (org) => tell((listener) => listener.forgetOrganization(org)),
    forgetApiKey: (org, id) => tell((listener) => listener.forgetApiKey(org, id)),
    forgetAll: () => tell((listener) => listener.forgetAll()),
  }
}
