import { readFile } from 'node:fs/promises'
import type { Config } from '../schema/schema.ts'
import { ConfigError } from './config-error.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { variableName } from './keys.ts'

type Database = Config['database']

/**
 * How to connect to the database: the only place that turns settings into options of a connection, for the pool, for
 * connections that listen, for migrations, backups and commands. Each option is said, so that the driver looks for
 * none in the environment.
 *
 * @param url the server's; a replica's has the same options as the primary's
 * @throws {ConfigError} when there is no URL, or a certificate's file cannot be read
 */
export async function connectionOptions(database: Database, url = database.url) {
  const address = parseDatabaseUrl(url ?? '')
  if (typeof address === 'string') throw new ConfigError([`${variableName('database.url')}: ${address}`])
  const { host, port, user, password, database: name } = address
  return {
    host,
    port,
    user,
    password,
    database: name,
    ssl: await tlsOptions(database),
    application_name: 'groundwork',
    prepared_statements: database.prepared_statements,
    keepAlive: true,
    connectionTimeoutMillis: database.connection_timeout,
    query_timeout: database.query_timeout,
    statement_timeout: database.statement_timeout,
    lock_timeout: database.lock_timeout,
    idle_in_transaction_session_timeout: database.idle_in_transaction_timeout,
  }
}

/** TLS options as Node takes them; false means plaintext. */
type Tls = { rejectUnauthorized: boolean; ca?: Buffer; cert?: Buffer; key?: Buffer } | false

async function tlsOptions(database: Database): Promise<Tls> {
  if (database.tls === 'off') return false
  const { tls_ca_file, tls_cert_file, tls_key_file } = database
  return {
    // Said either way: without it NODE_TLS_REJECT_UNAUTHORIZED would decide.
    rejectUnauthorized: database.tls === 'verify',
    ...(tls_ca_file === undefined ? {} : { ca: await readNamed('database.tls_ca_file', tls_ca_file) }),
    ...(tls_cert_file === undefined
      ? {}
      : { cert: await readNamed('database.tls_cert_file', tls_cert_file) }),
    ...(tls_key_file === undefined ? {} : { key: await readNamed('database.tls_key_file', tls_key_file) }),
  }
}

async function readNamed(path: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw new ConfigError([`${variableName(path)}: names a file that cannot be read (${code})`])
  }
}
