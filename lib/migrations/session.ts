import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { onlyRow } from '#lib/database/only-row.ts'
import { type ConnectionOptions, Session } from '#lib/database/session.ts'
import { UnusableSession } from '#lib/database/unusable-session.ts'

export interface MigrationOptions {
  /** How to reach the database; timeouts in it are ignored. */
  readonly connection: ConnectionOptions
  /** Holds the migration files. */
  readonly directory: string
  readonly log?: (message: string) => void
}

// Any number will do, so long as nothing else in the database locks it.
const LOCK = '7306361248735502'
const POLL_INTERVAL_MS = 200

/** An index takes as long as it takes; for its locks a migration has a limit of its own. */
const NO_LIMITS = {
  query_timeout: 0,
  statement_timeout: 0,
  lock_timeout: 0,
  idle_in_transaction_session_timeout: 0,
}

/** Opens a connection for migrations, with their own timeouts, for the time of `fn`. */
export async function withConnection<T>(
  options: Pick<MigrationOptions, 'connection'>,
  fn: (client: Session) => Promise<T>,
): Promise<T> {
  const client = new Session({
    ...options.connection,
    ...NO_LIMITS,
    application_name: 'groundwork-migrations',
  })
  // A lost connection fails the query that is being run; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await fn(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/**
 * As `withConnection`, while no other instance migrates the same database. The lock is the session's, so it
 * ends with the connection, however that ends.
 *
 * The lock is asked for again and again, because a session that waits in pg_advisory_lock() has a snapshot,
 * for whose end the lock's holder would wait in CREATE INDEX CONCURRENTLY: a deadlock.
 */
export async function withMigrationLock<T>(
  options: MigrationOptions,
  fn: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withConnection(options, async (client) => {
    if (client.isPooled) return withPooledLock(options, client, () => fn(client))
    await waitFor(options, () => tryLock(client, 'pg_try_advisory_lock'))
    return fn(client)
  })
}

/**
 * A pooler would leave a session's lock with a session that others get next, for good. So a second connection has it,
 * for the time of one transaction, which is idle: it has no snapshot, and nobody waits for its end.
 */
async function withPooledLock<T>(
  options: MigrationOptions,
  client: Session,
  fn: () => Promise<T>,
): Promise<T> {
  return withConnection(options, async (holder) => {
    await waitFor(options, async () => {
      await holder.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0')
      if (await tryLock(holder, 'pg_try_advisory_xact_lock')) return true
      // Nobody keeps a connection of the pooler's while waiting: who migrates may need it.
      await holder.query('ROLLBACK')
      return false
    })
    try {
      await awaitSecond(client, options)
      return await fn()
    } finally {
      // Or the lock would stay until the pooler has noticed, and thrown its connection away.
      await holder.query('ROLLBACK').catch(() => undefined)
    }
  })
}

/** While the holder has one of the pooler's connections to the server, the other one needs another. */
async function awaitSecond(client: Session, { connection }: MigrationOptions): Promise<void> {
  const { connectionTimeoutMillis: query_timeout } = connection
  const statement = { text: 'SELECT 1', query_timeout }
  try {
    await client.query(statement)
  } catch (cause) {
    throw new UnusableSession(
      `migrations need two connections at once, and the pooler gave no second one within ${query_timeout} ms: ` +
        'raise default_pool_size of PgBouncer',
      { cause },
    )
  }
}

/** Without a parameter: the answer to a statement with one stays open in a transaction, and so does its snapshot. */
async function tryLock(
  client: pg.Client,
  call: 'pg_try_advisory_lock' | 'pg_try_advisory_xact_lock',
): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`SELECT ${call}(${LOCK}) AS locked`)
  return onlyRow(rows).locked
}

async function waitFor({ log }: MigrationOptions, attempt: () => Promise<boolean>): Promise<void> {
  if (await attempt()) return
  log?.('Waiting for another instance that migrates the database')
  while (!(await attempt())) await sleep(POLL_INTERVAL_MS)
}
