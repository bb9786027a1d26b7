import { parseDatabaseUrl } from '#config/engine/database-url.ts'
import type { ConnectionOptions } from '#lib/database/session.ts'

/** Options of a connection without TLS, and without limits unless `options` have some. */
export function connectionTo(url: string, options: Partial<ConnectionOptions> = {}): ConnectionOptions {
  const address = parseDatabaseUrl(url)
  if (typeof address === 'string') throw new Error(`the URL ${address}`)
  const { host, port, user, password, database } = address
  return {
    host,
    port,
    user,
    password,
    database,
    ssl: false,
    application_name: 'groundwork-test',
    prepared_statements: 'auto',
    keepAlive: false,
    connectionTimeoutMillis: 20_000,
    query_timeout: 0,
    statement_timeout: 0,
    lock_timeout: 0,
    idle_in_transaction_session_timeout: 0,
    ...options,
  }
}
