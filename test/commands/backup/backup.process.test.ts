import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { QueryResultRow } from 'pg'
import t from 'tap'
import { parseManifest } from '#lib/backup/manifest.ts'
import { migrateDown } from '#lib/migrations/migrations.ts'
import { audit, startLoad } from '#test/faults/ledger.ts'
import { ready, signUpAdmin } from '#test/faults/rig.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { startInstance } from '#test/support/instances.ts'
import { startService } from '#test/support/process.ts'
import { holesOf } from '#test/tenancy/catalogue.ts'
import { proveRows } from '#test/tenancy/row-proof.ts'
import { runCommand, runProcess } from './commands.ts'
import { populated } from './populated.ts'
import { inSystem, sharedPostgresServer, WITHOUT_PROGRAMS } from './postgres-server.ts'

const MIGRATIONS = join(import.meta.dirname, '../../../migrations')

const skip = WITHOUT_PROGRAMS

t.test('a backup under load has every write that was acknowledged before', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const url = await server.createDatabase()
  const service = await startService(t, { APP_DATABASE__URL: url, APP_ROLE: 'web' })
  await ready(service.url)
  const admin = await signUpAdmin(service.url, {
    query: (text) => server.query(url, text.replace(' WHERE id = $1', '')),
  })
  const load = startLoad(t, { target: () => service.url, token: admin.token, writers: 2 })
  await load.acknowledges(50)
  const before = [...load.entries]
  const directory = join(t.testdir(), 'backups')
  const textfile = t.testdir({})
  const made = await runProcess(t, 'backup', ['--to', directory, '--textfile', textfile], {
    APP_DATABASE__URL: url,
  })
  t.match(made, {
    code: 0,
    stdout: /^db_\w+-\d{8}T\d{6}Z\.dump: \d+ bytes, \d+ rows, as of .*sha256 [0-9a-f]{64}\n$/,
  })
  t.match(await server.query(url, 'SELECT size > 1000 AS is_recorded FROM backups'), [{ is_recorded: true }])
  const after = load.entries.length
  await load.stop()
  t.ok(after > before.length, 'it went on writing meanwhile')

  const target = await server.createDatabase()
  const restored = await runProcess(t, 'restore', ['--from', directory], { APP_DATABASE__URL: target })
  t.match(restored, { code: 0, stdout: /^Restored db_\w+-.*\.dump: \d+ rows, of migration \d+\n$/ })
  const there = new Set(
    (await server.query<{ username: string }>(target, 'SELECT username FROM users')).map(
      ({ username }) => username,
    ),
  )
  const acknowledged = before.filter(({ status }) => status === 201)
  t.ok(acknowledged.length >= 50)
  t.same(
    acknowledged.filter(({ id }) => !there.has(id)),
    [],
    'nothing acknowledged is missing',
  )
  // What was not yet known to be there counts as unanswered: it may be in the backup, whole, or not.
  const entries = load.entries.map((entry) => (before.includes(entry) ? entry : { ...entry, status: 0 }))
  await audit(t, { entries }, { query: (text) => server.query(target, text) })

  const again = await startService(t, { APP_DATABASE__URL: target, APP_ROLE: 'web' })
  await ready(again.url)
  const metric = await readFile(join(textfile, 'groundwork_backup.prom'), 'utf8')
  const seconds = Number(/^groundwork_backup_last_success_timestamp_seconds (\S+)$/m.exec(metric)?.[1])
  t.ok(Math.abs(seconds - Date.now() / 1000) < 3600, metric)
  const files = await readdir(directory)
  t.equal(files.length, 3, files.join())
  for (const file of files)
    t.equal((await stat(join(directory, file))).mode & 0o077, 0, `only we read ${file}`)
})

t.test('rows of organizations are dumped, restored, and kept apart as before', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const url = await populated(t, server)
  const directory = t.testdir({})
  t.match(await runCommand('backup', ['--to', directory], { APP_DATABASE__URL: url }), { code: 0 })
  const target = await server.createDatabase()
  t.match(await runCommand('restore', ['--from', directory], { APP_DATABASE__URL: target }), { code: 0 })
  for (const table of ['organizations', 'memberships', 'projects']) {
    const text = `SELECT * FROM ${table} ORDER BY 1, 2`
    const rows = await server.query(inSystem(url), text)
    t.equal(rows.length, 2)
    t.same(await server.query(inSystem(target), text), rows, table)
    t.same(await server.query(target, text), [], 'without a context there is no row')
  }
  const query = <Row extends QueryResultRow>(text: string, values?: unknown[]) =>
    server.query<Row>(inSystem(target), text, values)
  t.strictSame(await holesOf({ query }), [])
  await proveRows(t, await startInstance(t, { url: target }, { APP_ROLE: 'web' }), { query })
})

t.test('what restore refuses, and that a refusal changes nothing', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const url = await populated(t, server)
  const directory = t.testdir({})
  const to = ['--to', directory]
  const from = ['--from', directory]
  const env = { APP_DATABASE__URL: url }
  t.match(await runCommand('restore', from, env), { code: 1, stderr: /There is no backup in / })
  t.match(await runCommand('backup', to, env), { code: 0 })
  const [dump = '', , manifest = ''] = (await readdir(directory)).sort()
  const write = (name: string, content: string | Buffer) => writeFile(join(directory, name), content)
  const good = await readFile(join(directory, dump))
  const about = parseManifest(await readFile(join(directory, manifest), 'utf8'), manifest)
  t.match(about, {
    format: 1,
    service_version: /^\d/,
    database: { name: /^db_/ },
    dump: { size: good.length },
  })

  await server.query(url, "UPDATE users SET username = 'changed.since'")
  await t.test('a database that is not empty, until told', async (t) => {
    t.match(await runCommand('restore', from, env), {
      code: 1,
      stderr: /is not empty \(schemas: pgboss, public\)/,
    })
    t.same(await server.query(url, 'SELECT DISTINCT username FROM users'), [{ username: 'changed.since' }])
  })
  await t.test('a dump that was damaged', async (t) => {
    const bad = Buffer.from(good)
    bad[bad.length >> 1] = (bad[bad.length >> 1] ?? 0) ^ 1
    await write(dump, bad)
    t.match(await runCommand('restore', [...from, '--force'], env), { code: 1, stderr: /is damaged/ })
    await write(dump, Buffer.concat([good, Buffer.alloc(1_000_000)]))
    t.match(await runCommand('restore', [...from, '--force'], env), {
      code: 1,
      stderr: /is damaged: it has more bytes/,
    })
    await write(dump, good)
  })
  await t.test('an invalid manifest, or one with wrong statements', async (t) => {
    await write(manifest, '{"format":2}')
    t.match(await runCommand('restore', [...from, '--force'], env), {
      code: 1,
      stderr: /is not a manifest/,
    })
    await write(manifest, JSON.stringify(about) + ' '.repeat(16 * 1024 * 1024))
    t.match(await runCommand('restore', from, env), { code: 1, stderr: /too large for a manifest/ })
    const [first] = about.tables
    await write(manifest, JSON.stringify({ ...about, tables: [{ ...first, rows: 12345 }] }))
    t.match(await runCommand('restore', [...from, '--force'], env), {
      code: 1,
      stderr: /has not the 12345 rows of the manifest/,
    })
    await write(manifest, JSON.stringify({ ...about, migration_version: 999 }))
    t.match(await runCommand('restore', [...from, '--force'], env), {
      code: 1,
      stderr: /with migration 999/,
    })
    await write(manifest, JSON.stringify(about))
  })
  t.same(
    await server.query(url, 'SELECT DISTINCT username FROM users'),
    [{ username: 'changed.since' }],
    'after each of them the database is as it was',
  )
  await t.test('told to, it puts the backup in the place of what is there', async (t) => {
    await server.query(url, 'CREATE TABLE newer (); CREATE SCHEMA other; CREATE TABLE other.one ()')
    t.match(await runCommand('restore', [...from, '--force', '--name', dump], env), { code: 0 })
    t.same(await server.query(url, "SELECT FROM users WHERE username = 'changed.since'"), [])
    t.same(await server.query(url, "SELECT to_regclass('newer') AS a, to_regclass('other.one') AS b"), [
      { a: null, b: null },
    ])
  })
  await t.test('and migrates forward what is older', async (t) => {
    const target = await server.createDatabase()
    const older = await server.createDatabase()
    await runCommand('restore', from, { APP_DATABASE__URL: older })
    await migrateDown({ connection: connectionTo(older), directory: MIGRATIONS, steps: 1 })
    const place = t.testdir({})
    await runCommand('backup', ['--to', place], { APP_DATABASE__URL: older })
    t.match(await runCommand('restore', ['--from', place], { APP_DATABASE__URL: target }), {
      code: 0,
      stderr: /Applied \d+\.do\./,
    })
  })
})

t.test('keeps as many as told, and leaves nothing half done', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const url = await populated(t, server)
  const env = { APP_DATABASE__URL: url }
  const name = new URL(url).pathname.slice(1)
  const directory = join(t.testdir({ backups: {} }), 'backups')
  const stamps = ['20200101T000000Z', '20200102T000000Z', '20200103T000000Z']
  for (const stamp of stamps) {
    await writeFile(join(directory, `${name}-${stamp}.dump`), '')
    if (stamp !== stamps[1]) await writeFile(join(directory, `${name}-${stamp}.json`), '{}')
  }
  await writeFile(join(directory, `other-${stamps[0]}.json`), '{}')
  await writeFile(join(directory, 'old.dump.partial'), '')
  await utimes(join(directory, 'old.dump.partial'), 0, 0)
  t.match(await runCommand('backup', ['--to', directory, '--keep', '2'], env), { code: 0 })
  const left = (await readdir(directory)).sort()
  t.equal(left.length, 6, left.join())
  t.same(left.slice(0, 2), [`${name}-${stamps[2]}.dump`, `${name}-${stamps[2]}.json`])
  t.equal(left.at(-1), `other-${stamps[0]}.json`, "another database's stay")

  const broken = { ...env, APP_DATABASE__URL: url.replace(/:[^:@]+@/, ':wrong@') }
  t.match(await runCommand('backup', ['--to', directory, '--keep', '1'], broken), {
    code: 1,
    stderr: /password authentication failed[\s\S]*correct them in APP_DATABASE__URL/,
  })
  const programs = join(directory, '../programs')
  await mkdir(programs)
  await writeFile(join(programs, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n', {
    mode: 0o755,
  })
  t.match(
    await runCommand('backup', ['--to', directory], {
      ...env,
      PATH: `${programs}:${process.env['PATH']}`,
    }),
    {
      code: 1,
      stderr: /pg_dump is of version 9, and the server of \d+\. Install PostgreSQL's client programs/,
    },
  )
  await writeFile(
    join(programs, 'pg_dump'),
    '#!/bin/sh\ncase "$1" in --version) echo "pg_dump (PostgreSQL) 99.1";; *) echo half; echo broke >&2; exit 3;; esac\n',
  )
  t.match(
    await runCommand('backup', ['--to', directory, '--keep', '1'], {
      ...env,
      PATH: `${programs}:${process.env['PATH']}`,
    }),
    {
      code: 1,
      stderr: /pg_dump failed \(3\): broke/,
    },
  )
  t.same((await readdir(directory)).sort(), left, 'and all is as before')
})

t.test('arguments that they do not know give the usage', async (t) => {
  for (const args of [[], ['--to', ''], ['--to', 'x', '--keep', '0'], ['--to', 'x', '--all'], ['x']]) {
    t.match(await runCommand('backup', args), { code: 2, stderr: /\nUsage: npm run backup/ }, args.join(' '))
  }
  for (const args of [[], ['--from', ''], ['--from', 'x', 'y']]) {
    t.match(
      await runCommand('restore', args),
      { code: 2, stderr: /\nUsage: npm run restore/ },
      args.join(' '),
    )
  }
})
