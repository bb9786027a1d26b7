import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import root, { type Test } from 'tap'
import { chooseLauncher, output } from '#lib/embedded-postgres/launcher.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'
import { startProcess } from '#test/support/process.ts'

/** Where servers are that pg_dump of this machine can dump: the programs of one version, all together. */
const PROGRAMS = findPrograms()

/** Why tests that need PostgreSQL's own programs are skipped; false where they are. */
export const WITHOUT_PROGRAMS: string | false =
  PROGRAMS === undefined ? 'there is no server of PostgreSQL with its pg_dump' : false

/** Put first in the PATH of the commands. */
export const PROGRAMS_PATH = `${PROGRAMS}:${process.env['PATH']}`

/** A server that has databases of the test's. */
export interface PostgresServer {
  createDatabase(): Promise<string>
  query<Row extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]): Promise<Row[]>
}

/** The URL of a database with the rows of every organization and person. */
export function inSystem(url: string): string {
  return `${url}?options=${encodeURIComponent('-c app.scope=system')}`
}

function findPrograms(): string | undefined {
  const own = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  return [own, ...globSync('/usr/lib/postgresql/*/bin')]
    .filter((path) => path !== undefined)
    .findLast((path) =>
      ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'psql'].every((name) => existsSync(join(path, name))),
    )
}

let shared: Promise<PostgresServer> | undefined

/** Returns the server of all tests of a file, which ends with the last of them. */
export function sharedPostgresServer(): Promise<PostgresServer> {
  shared ??= startPostgresServer(root)
  return shared
}

/**
 * Starts a server, which ends with `t`.
 *
 * @param programs the directory of its programs; without one, those of this machine
 */
export async function startPostgresServer(
  t: Pick<Test, 'teardown'>,
  programs = PROGRAMS,
): Promise<PostgresServer> {
  const directory = await mkdtemp('/tmp/groundwork-test-')
  const layout = await openLayout(directory)
  const binaries = { initdb: `${programs}/initdb`, postgres: `${programs}/postgres` }
  const launcher = await chooseLauncher(layout, binaries)
  const password = randomBytes(12).toString('hex')
  await writeFile(layout.password, password, { mode: 0o644 })
  const made = await output(
    launcher.command(binaries.initdb, [
      `--pgdata=${layout.cluster}`,
      '--username=postgres',
      `--pwfile=${layout.password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ]),
  )
  if (made.code !== 0) throw new Error(made.text)
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
  const args = ['-D', layout.cluster, ...settings.flatMap((setting) => ['-c', setting])]
  const { file, args: all, options } = launcher.command(binaries.postgres, args)
  // Registered before the process's own, and so run after it.
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  const server = startProcess(t, file, all, options)
  const url = (name: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`
  const serviceUrl = (name: string) => `postgres://service:${password}@127.0.0.1:${port}/${name}`
  const query: PostgresServer['query'] = async (at, text, values) => {
    const client = new pg.Client(at)
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(text, values)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  await eventually(async () => {
    if (server.child.exitCode !== null) throw new Error(server.stderr())
    return query(url('postgres'), 'SELECT').then(
      () => true,
      () => false,
    )
  })
  await query(url('postgres'), `CREATE ROLE service LOGIN PASSWORD '${password}'`)
  return {
    query,
    async createDatabase() {
      const name = `db_${randomBytes(4).toString('hex')}`
      await query(url('postgres'), `CREATE DATABASE ${name} OWNER service`)
      return serviceUrl(name)
    },
  }
}
