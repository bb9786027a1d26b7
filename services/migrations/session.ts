import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface MigrationOptions {
  /** How to reach the database; timeouts in it are ignored. */
  readonly connection: pg.ClientConfig
  /** Holds the migration files. */
  readonly directory: string
  readonly log?: (message: string) => void
}

// Any number will do, so long as nothing else in the database locks it.
const LOCK = '7306361248735502'
const POLL = 200

/** Opens a connection for migrations, with their own timeouts, for the time of `fn`. */
export async function withConnection<T>(
  options: MigrationOptions,
  fn: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...options.connection,
    query_timeout: 0,
    application_name: 'groundwork-migrations',
  })
  // A lost connection fails the query that is being run; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
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
    if (!(await tryLock(client))) {
      options.log?.('Waiting for another instance that migrates the database')
      while (!(await tryLock(client))) await sleep(POLL)
    }
    return fn(client)
  })
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    LOCK,
  ])
  return rows[0]?.locked === true
}
