import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { clusterExists } from '#lib/embedded-postgres/cluster.ts'
import { superuserUrl } from '#lib/embedded-postgres/connection.ts'
import { removeUnusedServer, startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { chooseLauncher, output } from '#lib/embedded-postgres/launcher.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { withLock } from '#lib/embedded-postgres/lock.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { ensureServer, freePort } from '#lib/embedded-postgres/server.ts'
import { FAST, query, SUPERUSERS, serverDirectory } from '#test/support/embedded-servers.ts'
import { eventually } from '#test/support/eventually.ts'

const root = process.getuid?.() === 0

/** One cluster for all tests, because initdb takes longer than they do. */
const directory = await serverDirectory(t)
const layout = await openLayout(directory)

/** Starts or joins the server; returns also what it said. */
async function enter(options: { fresh?: boolean; settings?: Record<string, string> } = {}) {
  const said: string[] = []
  const log = (line: string) => said.push(line.replace(/ in .*/, ''))
  const server = await startEmbeddedPostgres({ directory, settings: FAST, log, ...options })
  return { ...server, said }
}

/** The tables that somebody made. */
async function tables(url: string): Promise<string[]> {
  const text = "SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY 1"
  return (await query<{ relname: string }>(url, text)).map(({ relname }) => relname)
}

async function permissions(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

t.test(
  'a cluster is made for its owner alone, closed to others, and the last to leave stops it',
  async (t) => {
    const leftover = join(directory, 'cluster.new-0123')
    await mkdir(leftover)
    const first = await enter()
    t.strictSame(first.said, ['Making a PostgreSQL cluster', 'Started PostgreSQL'])
    t.strictSame((await readdir(directory)).sort(), ['cluster', 'lock', 'password', 'server.log'])
    t.equal(await permissions(directory), 0o700)
    t.equal(await permissions(layout.password), 0o600)
    t.equal(await permissions(layout.log), 0o600)
    t.match(await readFile(layout.password, 'utf8'), /^[\w-]{32}\n$/)
    const settings = [
      'listen_addresses',
      'unix_socket_directories',
      'password_encryption',
      'TimeZone',
      'fsync',
    ]
    const shown = await query<Record<string, string>>(
      first.superuserUrl,
      'SELECT name, setting FROM pg_settings WHERE name = ANY ($1) ORDER BY name',
      [settings],
    )
    t.strictSame(
      shown.map(({ setting }) => setting),
      ['UTC', 'off', '127.0.0.1', 'scram-sha-256', ''],
    )
    const locale = `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datlocale AS locale,
    datcollate AS other FROM pg_database WHERE datname = current_database()`
    t.strictSame(
      { ...(await query(first.url, locale))[0] },
      { encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', other: 'C' },
    )
    const role = `SELECT rolname AS name, rolsuper OR rolbypassrls OR rolcreaterole AS strong FROM pg_roles
    WHERE rolname = current_user`
    t.strictSame({ ...(await query(first.url, role))[0] }, { name: 'groundwork', strong: false })
    t.strictSame(
      { ...(await query(first.superuserUrl, role))[0] },
      { name: 'postgres', strong: true },
      'the other URL',
    )
    for (const url of [first.url, first.superuserUrl]) {
      const wrong = new URL(url)
      wrong.password = 'guess'
      await t.rejects(query(wrong.href, 'SELECT 1'), { code: '28P01' })
    }

    await query(first.url, 'CREATE TABLE notes ()')
    const second = await enter()
    t.strictSame(second.said, ['Using the PostgreSQL that runs'])
    t.equal(second.url, first.url)
    await first.stop({ discard: true })
    t.strictSame(await tables(second.url), ['notes'], 'somebody uses it')
    const third = await enter({ fresh: true })
    t.strictSame(await tables(third.url), ['notes'], 'nor is it made new')
    await removeUnusedServer(directory)
    t.ok(await findPostmaster(layout), 'nor removed')
    await third.stop()
    const [one, two] = [second.stop(), second.stop()]
    t.equal(one, two)
    await one
    t.strictSame(second.said.slice(1), ['Stopped PostgreSQL'])
    t.strictSame(first.said.length, 2)
    await t.rejects(query(second.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
  },
)

t.test('its data are there at the next start, and a claim that was lost is made again', async (t) => {
  const server = await enter()
  t.strictSame(server.said, ['Started PostgreSQL'])
  t.ok((await readdir(directory)).includes('server.log.previous'))
  t.strictSame(await tables(server.url), ['notes'])
  const claims = "SELECT pid FROM pg_stat_activity WHERE application_name = 'groundwork-keeper'"
  const [before] = await query<{ pid: number }>(server.superuserUrl, claims)
  await query(server.superuserUrl, 'SELECT pg_terminate_backend($1)', [before?.pid])
  await eventually(async () => {
    const [after] = await query<{ pid: number }>(server.superuserUrl, claims)
    return after !== undefined && after.pid !== before?.pid
  })
  const messages: string[] = []
  const next = withLock(layout.lock, async () => {
    const waiting = startEmbeddedPostgres({ directory, settings: FAST, log: (line) => messages.push(line) })
    await eventually(async () => messages.length > 0)
    return { waiting }
  })
  const { waiting } = await next
  const other = await waiting
  t.match(messages, [
    /^Waiting for another process that starts or stops \//,
    /^Using the PostgreSQL that runs /,
  ])
  await server.stop()
  t.strictSame(await tables(other.url), ['notes'])
  await other.stop()
  t.equal(await findPostmaster(layout), undefined)
})

t.test('a database that belongs to the superuser is handed over whole', async (t) => {
  const old = await enter()
  const admin = old.superuserUrl.replace(/[^/]*$/, 'postgres')
  await query(admin, 'DROP DATABASE groundwork WITH (FORCE)')
  await query(admin, 'DROP ROLE groundwork')
  await query(admin, 'CREATE DATABASE groundwork')
  await query(
    old.superuserUrl,
    `CREATE SCHEMA "Own Schema";
     CREATE TABLE "Own Schema"."Odd ""name" (id serial, at int GENERATED ALWAYS AS IDENTITY);
     CREATE TYPE pair AS (a int, b int);
     CREATE DOMAIN positive AS int CHECK (VALUE > 0);
     CREATE TABLE numbers (a int, b int);
     CREATE STATISTICS together ON a, b FROM numbers;
     CREATE VIEW seen AS SELECT a FROM numbers;
     CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1;
     SELECT lo_from_bytea(0, 'kept')`,
  )
  await old.stop()
  const server = await enter()
  t.strictSame(server.said, ['Started PostgreSQL', 'Handing the database'])
  t.strictSame(await query(server.superuserUrl, SUPERUSERS), [])
  await query(
    server.url,
    'DROP SCHEMA "Own Schema" CASCADE; DROP DOMAIN positive; DROP TYPE pair; DROP TABLE numbers CASCADE',
  )
  await server.stop()
  const again = await enter()
  t.strictSame(again.said, ['Started PostgreSQL'], 'not twice')
  await again.stop()
})

t.test('one that cannot start says why, and what it says of a lost port is tried again', async (t) => {
  await t.rejects(enter({ settings: { ...FAST, no_such_setting: '1' } }), {
    name: 'EmbeddedPostgresError',
    message: /did not start in .*"no_such_setting"/s,
  })
  const version = join(layout.cluster, 'PG_VERSION')
  await writeFile(version, '15\n')
  await t.rejects(enter(), { message: /another version of PostgreSQL\. Dump them/s })
  t.equal(await readFile(version, 'utf8'), '15\n')
  await writeFile(version, '18\n')

  const squatter = createServer()
  const taken = await freePort()
  await new Promise<void>((resolve) => squatter.listen(taken, '127.0.0.1', resolve))
  t.teardown(() => squatter.close())
  const binaries = await loadBinaries()
  const launcher = await chooseLauncher(layout, binaries)
  const ports = [taken]
  const choosePort = async () => ports.pop() ?? (await freePort())
  const log = () => undefined
  const address = await ensureServer({ layout, binaries, launcher, settings: FAST, log, choosePort })
  t.not(address.port, taken)
  t.strictSame(ports, [])
  // Nobody has claimed it.
  t.match(await query(superuserUrl(address), 'SELECT 1 AS one'), [{ one: 1 }])
  await removeUnusedServer(directory)
  t.equal(await findPostmaster(layout), undefined)
  t.notOk(await clusterExists(layout), 'and so it is removed')
})

t.test('a start that is given up leaves nothing', async (t) => {
  const given = new AbortController()
  const log = () => given.abort()
  await t.rejects(startEmbeddedPostgres({ directory, settings: FAST, log, signal: given.signal }), {
    name: 'EmbeddedPostgresError',
    message: /initdb failed: .*abort/s,
  })
  t.strictSame(
    (await readdir(directory)).filter((name) => name.startsWith('cluster')),
    [],
  )
})

t.test(
  'as root it runs as another, below a folder that only root may enter too',
  { skip: !root },
  async (t) => {
    const binaries = await loadBinaries()
    const who = async (t: Test, mode: number) => {
      const parent = await serverDirectory(t)
      await mkdir(parent)
      await chmod(parent, mode)
      const below = await openLayout(join(parent, 'below'))
      const launcher = await chooseLauncher(below, binaries)
      const script = 'test -w "$0" && id -u && id -g && id -G'
      const { code, text } = await output(launcher.command('/bin/sh', ['-c', script, below.directory]))
      const { uid, gid } = await stat(below.directory)
      t.strictSame([launcher.account], [{ uid, gid }], 'it owns the folder')
      t.not(uid, 0)
      t.strictSame({ code, text }, { code: 0, text: `${uid}\n${gid}\n${gid}\n` })
    }
    await who(t, 0o755)
    await who(t, 0o700)
    const missing = { initdb: '/nowhere/bin/initdb', postgres: '/nowhere/bin/postgres' }
    await t.rejects(chooseLauncher(layout, missing), {
      name: 'EmbeddedPostgresError',
      message: /refuses to run as root.* cannot reach .*\/nowhere\/bin\. .*APP_DATABASE__URL/s,
    })
  },
)
