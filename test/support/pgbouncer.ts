import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

const asked = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8' })

/** Why tests that need PgBouncer are skipped; false where it is. */
export const WITHOUT_PGBOUNCER: string | false = asked.status === 0 ? false : 'there is no pgbouncer'

/** The same for tests that need one that keeps track of prepared statements. */
export const WITHOUT_TRACKING: string | false =
  WITHOUT_PGBOUNCER || (isTracking(asked.stdout) ? false : 'pgbouncer is older than 1.21')

function isTracking(version: string): boolean {
  const [, major = 0, minor = 0] = /PgBouncer (\d+)\.(\d+)/.exec(version) ?? []
  return Number(major) > 1 || Number(minor) >= 21
}

export interface PgBouncerOptions {
  mode?: 'session' | 'transaction' | 'statement'
  /** Connections to PostgreSQL, shared by all of its clients. */
  poolSize?: number
  /** Prepared statements that it keeps track of for each connection; above 0 it must be of version 1.21. */
  tracked?: number
  /** Further lines of its configuration. */
  settings?: string
}

/**
 * Starts PgBouncer before a database, as it is without any setting: it refuses start-up parameters that it does not
 * track. Before 1.21 it knows no prepared statement; here it does not from then on either, unless `tracked` says so.
 *
 * @returns its URL
 */
export async function startPgBouncer(t: Test, url: string, options: PgBouncerOptions = {}): Promise<string> {
  const { mode = 'transaction', poolSize = 2, tracked = 0, settings = '' } = options
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
${WITHOUT_TRACKING ? '' : `max_prepared_statements = ${tracked}`}
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
