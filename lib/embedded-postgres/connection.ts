import type pg from 'pg'
import { Session } from '#lib/database/session.ts'
import { SUPERUSER } from './cluster.ts'

/** Where the server is and how to be let in. */
export interface Address {
  readonly port: number
  readonly password: string
}

/** The database that every embedded server has. */
export const DATABASE = 'groundwork'

/** Opens a connection of the superuser. The server's going away never throws; the next query tells. */
export async function connect(address: Address, applicationName: string): Promise<pg.Client> {
  const client = new Session({
    host: '127.0.0.1',
    port: address.port,
    user: SUPERUSER,
    password: address.password,
    database: 'postgres',
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

/** Makes the database `groundwork` unless it exists. */
export async function ensureDatabase(client: pg.Client): Promise<void> {
  const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE])
  if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
}

/** The URL of the database `groundwork`. */
export function databaseUrl(address: Address): string {
  return `postgres://${SUPERUSER}:${address.password}@127.0.0.1:${address.port}/${DATABASE}`
}
