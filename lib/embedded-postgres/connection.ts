import type pg from 'pg'
import { Session } from '#lib/database/session.ts'
import { SUPERUSER } from './cluster.ts'
import { DATABASE, ROLE, rolePassword } from './role.ts'

/** Where the server is and how its superuser is let in. */
export interface Address {
  readonly port: number
  readonly password: string
}

/**
 * Opens a connection of the superuser. The server's going away never throws; the next query tells.
 *
 * @param database the server's own `postgres` unless another is named
 */
export async function connect(
  address: Address,
  applicationName: string,
  database = 'postgres',
): Promise<pg.Client> {
  const client = new Session({
    host: '127.0.0.1',
    port: address.port,
    user: SUPERUSER,
    password: address.password,
    database,
    application_name: applicationName,
    ssl: false,
    prepared_statements: 'auto',
    keepAlive: false,
    connectionTimeoutMillis: 10_000,
    query_timeout: 0,
    statement_timeout: 0,
    lock_timeout: 0,
    idle_in_transaction_session_timeout: 0,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  return client
}

/** The URL of the database `groundwork`, as the service's role. */
export function databaseUrl(address: Address): string {
  return `postgres://${ROLE}:${rolePassword(address.password)}@127.0.0.1:${address.port}/${DATABASE}`
}

/** The same as the superuser, whom row-level security does not bind. */
export function superuserUrl(address: Address): string {
  return `postgres://${SUPERUSER}:${address.password}@127.0.0.1:${address.port}/${DATABASE}`
}
