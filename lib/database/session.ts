import pg from 'pg'
import { endConnection } from './end-connection.ts'
import { assertTracksPreparedStatements } from './pooler.ts'
import { keepRowsRaw } from './raw-rows.ts'
import { UnusableSession } from './unusable-session.ts'

declare module 'pg' {
  interface Client {
    // Missing in @types/pg: what the other side calls itself (BackendKeyData).
    readonly processID: number | null
    // Missing in @types/pg: the parameters of the startup message.
    getStartupConf(): Record<string, string>
  }
}

/** TLS as Node has it. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

/** Everything that describes a connection to PostgreSQL; no other source is read. Times are in milliseconds, 0 means none. */
export interface ConnectionOptions {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly ssl: TlsOptions | false
  readonly application_name: string
  /** Whether statements are prepared by name; `auto`: unless a pooler is between. `true` needs one that tracks them. */
  readonly prepared_statements: boolean | 'auto'
  readonly keepAlive: boolean
  readonly connectionTimeoutMillis: number
  readonly query_timeout: number
  readonly statement_timeout: number
  readonly lock_timeout: number
  readonly idle_in_transaction_session_timeout: number
}

/**
 * Settings that the server reports, and poolers keep for each of their clients. As start-up parameters they win over
 * those of the role and of the database.
 */
const STARTUP = { DateStyle: 'ISO, MDY', TimeZone: 'UTC', standard_conforming_strings: 'on' }

/** Further settings that change what a statement or its answer means, or how long a session lives. */
const MEANING = {
  search_path: 'public',
  bytea_output: 'hex',
  extra_float_digits: '1',
  IntervalStyle: 'postgres',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  row_security: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  idle_session_timeout: '0',
  transaction_timeout: '0',
}

/** Limits that a pooler may take from us: the statement ends later than we asked, or at once, with an error. */
const TIMES = new Set(['idle_session_timeout', 'transaction_timeout'])

/** Is superuser's; no trigger fires with any other value, nor do foreign keys hold. */
const ORIGIN = 'origin'

const QUERY_CANCELED = '57014'

/** How often a limit is replaced that ends the statement which replaces it. */
const ATTEMPTS = 20

/**
 * A connection to PostgreSQL, and the only kind that there is: the pool's, those that listen, those of migrations,
 * backups and commands. It says everything that the driver would otherwise take from `PG*` variables, and after the
 * login it sets what the role's or the database's own settings could have changed, or, behind a pooler, checks it.
 */
export class Session extends pg.Client {
  readonly #options: ConnectionOptions
  #isPooled = false
  #differing: readonly string[] = []

  /** @param driver what concerns the driver alone, and not the server */
  constructor(options: ConnectionOptions, driver: Pick<pg.ClientConfig, 'pipeline' | 'types'> = {}) {
    const { password } = options
    const config = {
      ...options,
      ...driver,
      password: () => {
        if (password === undefined) {
          throw new UnusableSession('PostgreSQL asks for a password, and database.url has none')
        }
        return password
      },
      // Else PGSSLNEGOTIATION and PGCLIENTENCODING would say.
      sslnegotiation: 'postgres' as const,
      client_encoding: 'UTF8',
    }
    super(config)
    keepRowsRaw(this.connection)
    this.#options = options
  }

  /** Whether a pooler is between, which may have each statement, or each transaction, done by another session. */
  get isPooled(): boolean {
    return this.#isPooled
  }

  /** The settings that are not as they were asked for, which a pooler keeps us from setting: `name = value`. */
  get differing(): readonly string[] {
    return this.#differing
  }

  /** Whether statements may be prepared by name. */
  get prepares(): boolean {
    const { prepared_statements } = this.#options
    return prepared_statements === 'auto' ? !this.#isPooled : prepared_statements
  }

  /** @throws UnusableSession, or what the driver throws */
  override connect(): Promise<pg.Client>
  override connect(callback: (error: Error | null, client?: pg.Client) => void): void
  override connect(
    callback?: (error: Error | null, client?: pg.Client) => void,
  ): Promise<pg.Client> | undefined {
    const opened = this.#open()
    if (callback === undefined) return opened
    opened.then(
      () => callback(null, this),
      (error: Error) => callback(error),
    )
    return undefined
  }

  override getStartupConf(): Record<string, string> {
    const { user, database, application_name } = this.#options
    return { user, database, application_name, ...STARTUP }
  }

  async #open(): Promise<this> {
    // The pool listens from the end of this on; a connection that is lost until then fails the statement under way.
    const ignore = () => undefined
    this.on('error', ignore)
    try {
      await super.connect()
      await this.#settle()
    } catch (error) {
      await endConnection(this)
      throw error
    }
    this.off('error', ignore)
    return this
  }

  async #settle(): Promise<void> {
    const wanted = this.#wanted()
    const { direct, replication_role, encoding } = await this.#set(wanted)
    if (replication_role !== ORIGIN) {
      throw new UnusableSession(
        `session_replication_role is ${replication_role}, so no trigger fires: ALTER ROLE ${this.#options.user} RESET ` +
          'session_replication_role, and the same for the database',
      )
    }
    if (encoding !== 'UTF8') throw new UnusableSession(`client_encoding is ${encoding}, and must be UTF8`)
    this.#isPooled = !direct
    if (this.#isPooled) await this.#inspect(wanted)
  }

  #wanted(): Readonly<Record<string, string>> {
    const { statement_timeout, lock_timeout, idle_in_transaction_session_timeout } = this.#options
    const times = { statement_timeout, lock_timeout, idle_in_transaction_session_timeout }
    const texts = Object.entries(times).map(([name, value]) => [name, String(value)])
    // First, so that the statement itself is not cut short by another limit.
    return { ...Object.fromEntries(texts), ...MEANING }
  }

  /**
   * Sets what is wanted, in one round trip. Through a pooler it would stay with a session that others get next, so there
   * nothing is set. A pooler has keys of its own, and so calls itself by another number than the server's process.
   */
  async #set(wanted: Readonly<Record<string, string>>): Promise<Opened> {
    const direct = `pg_backend_pid() = ${Number(this.processID)}`
    const settings = Object.entries(wanted).map(
      ([name, value]) =>
        `CASE WHEN ${direct} AND current_setting('${name}', true) IS NOT NULL THEN set_config('${name}', '${value}', false) END`,
    )
    const text = `SELECT ${direct} AS direct, current_setting('session_replication_role') AS replication_role,
      current_setting('client_encoding') AS encoding, current_setting('statement_timeout') AS limit_before,
      ${settings.join(', ')}, current_setting('statement_timeout') AS limit_after`
    try {
      const opened = await this.#ask<Opened>(text)
      if (opened.limit_before !== '0' && opened.limit_before !== opened.limit_after)
        await this.#replaceLimit()
      return opened
    } catch (error) {
      if (!isCanceled(error)) throw error
      await this.#replaceLimit()
      return this.#ask<Opened>(text)
    }
  }

  /**
   * For a role whose own limit is shorter than the login takes. It may end this statement too, and the one after it: when
   * it is over while a statement ends, PostgreSQL tells the next. So it is replaced twice.
   */
  async #replaceLimit(): Promise<void> {
    let replaced = 0
    for (let attempt = 1; replaced < 2; attempt++) {
      try {
        await this.query(`SET statement_timeout = ${this.#options.statement_timeout}`)
        replaced++
      } catch (error) {
        if (!isCanceled(error) || attempt === ATTEMPTS) throw error
      }
    }
  }

  /** Behind a pooler, which may assign us any of its sessions: all of them have the role's and the database's settings. */
  async #inspect(wanted: Readonly<Record<string, string>>): Promise<void> {
    await this.#begin()
    const { settings, schemas } = await this.#ask<{ settings: Record<string, string>; schemas: string[] }>(`
      SELECT current_schemas(false)::text[] AS schemas, (SELECT json_object_agg(name, setting) FROM pg_settings
        WHERE name IN (${Object.keys(wanted).map((name) => `'${name}'`)})) AS settings`)
    if (this.#options.prepared_statements === true) await assertTracksPreparedStatements(this)
    await this.query('ROLLBACK')
    const isAs = (name: string, value: string) => {
      if (name === 'search_path') return schemas.length === 0 || String(schemas) === 'public'
      // All above 0 are the same (PostgreSQL 12).
      if (name === 'extra_float_digits') return Number(settings[name]) > 0
      return settings[name] === undefined || settings[name] === value
    }
    const differing = Object.keys(wanted).filter((name) => !isAs(name, `${wanted[name]}`))
    const says = (name: string) => `${name} = ${settings[name]}`
    const harmful = differing.filter((name) => Object.hasOwn(MEANING, name) && !TIMES.has(name))
    if (harmful.length > 0) {
      throw new UnusableSession(
        `behind the pooler ${harmful.map(says).join(', ')}: ALTER ROLE ${this.#options.user} SET ` +
          `${harmful.map((name) => `${name} = '${wanted[name]}'`).join(', and SET ')}`,
      )
    }
    this.#differing = differing.map(says)
  }

  async #begin(): Promise<void> {
    try {
      await this.query('BEGIN')
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.includes('statement pooling'))) throw cause
      throw new UnusableSession(
        'the pooler has no transactions (pool_mode = statement): set pool_mode = transaction',
        { cause, reason: 'the pooler before the database has no transactions' },
      )
    }
  }

  /** One row of one statement, for which the time to connect is the limit. */
  async #ask<Row extends object>(text: string): Promise<Row> {
    const statement = { text, query_timeout: this.#options.connectionTimeoutMillis }
    const { rows } = await this.query<Row>(statement)
    const [row] = rows
    if (row === undefined) throw new UnusableSession('PostgreSQL says nothing of itself')
    return row
  }
}

interface Opened {
  readonly direct: boolean
  readonly replication_role: string
  readonly encoding: string
  /** The role's or the database's own statement_timeout, and the one that there is now. */
  readonly limit_before: string
  readonly limit_after: string
}

function isCanceled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === QUERY_CANCELED
}

/** Whether a statement may be prepared by name on a connection: ours say so. */
export function prepares(connection: object): boolean {
  return !(connection instanceof Session) || connection.prepares
}
