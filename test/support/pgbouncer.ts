import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

/** Why tests that need PgBouncer are skipped; false where it is. */
export const WITHOUT_PGBOUNCER: string | false =
  spawnSync('pgbouncer', ['--version']).status === 0 ? false : 'there is no pgbouncer'

export interface PgBouncerOptions {
  mode?: 'session' | 'transaction' | 'statement'
  /** Connections to PostgreSQL, shared by all of its clients. */
  poolSize?: number
  /** Further lines of its configuration. */
  settings?: string
}

/**
 * Starts PgBouncer before a database, as it is without any setting: it refuses start-up parameters that it does not
 * track, and before 1.21, or with `max_prepared_statements = 0`, it knows no prepared statement.
 *
 * @returns its URL
 */
export async function startPgBouncer(t: Test, url: string, options: PgBouncerOptions = {}): Promise<string> {
  const { mode = 'transaction', poolSize = 2, settings = '' } = options
  const { hostname, port, username, password, pathname } = new URL(url)
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-'))
  // It does not run as root, and its other user has to read it.
  await chmod(directory, 0o755)
  t.teardown(() => rm(directory, { recursive: true }))
  const own = await freePort()
  await writeFile(join(directory, 'users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`)
  await writeFile(
    join(directory, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = plain
auth_file = ${join(directory, 'users.txt')}
pool_mode = ${mode}
default_pool_size = ${poolSize}
${settings}
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`,
  )
  startProcess(t, 'pgbouncer', [join(directory, 'pgbouncer.ini')])
  const pooled = `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`
  await eventually(async () => {
    const client = new pg.Client(pooled)
    client.on('error', () => undefined)
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  })
  return pooled
}
