import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { migrateDown, migrateUp, migrationStatus } from '#lib/migrations/migrations.ts'
import { createVersionCheck } from '#lib/migrations/version-check.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'

const THREE = {
  '001.do.a.sql': 'CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n',
  '001.undo.a.sql': 'DROP TABLE a;\n',
  '002.do.b.sql': 'CREATE TABLE b (id int);',
  '002.undo.b.sql': 'DROP TABLE b;',
  '003.do.c.sql': '-- no transaction\nCREATE INDEX CONCURRENTLY b_id ON b (id);\nSELECT 1;\n',
  '003.undo.c.sql': '-- no transaction\nDROP INDEX CONCURRENTLY b_id;\n',
}

async function setUp(t: Test, files: Record<string, string>) {
  const database = await createEmptyDatabase(t)
  const directory = t.testdir(files)
  const messages: string[] = []
  const log = (message: string) => messages.push(message)
  return { database, messages, options: { connection: connectionTo(database.url), directory, log } }
}

async function tableNames(database: { query(text: string): Promise<object[]> }): Promise<object[]> {
  return database.query("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
}

t.test('up applies what is missing, down takes it back, status tells', async (t) => {
  const { database, messages, options } = await setUp(t, THREE)
  t.match(await migrationStatus(options), [
    { version: 1, name: 'a', state: 'pending', runAt: null },
    { version: 2, name: 'b', state: 'pending' },
    { version: 3, name: 'c', state: 'pending' },
  ])
  t.same(await tableNames(database), [], 'status writes nothing')

  t.same(await migrateUp(options), ['001.do.a.sql', '002.do.b.sql', '003.do.c.sql'])
  t.same(await migrateUp(options), [])
  t.same(messages, ['Applied 001.do.a.sql', 'Applied 002.do.b.sql', 'Applied 003.do.c.sql'])
  t.same(await database.query('SELECT id FROM a'), [{ id: 1 }])
  const applied = await migrationStatus(options)
  t.match(applied, [{ state: 'applied', runAt: Date }, { state: 'applied' }, { state: 'applied' }])

  t.same(await migrateDown({ ...options, steps: 2 }), ['003.undo.c.sql', '002.undo.b.sql'])
  t.same(await tableNames(database), [{ name: 'a' }, { name: 'schemaversion' }])
  t.same(await migrateUp(options), ['002.do.b.sql', '003.do.c.sql'])
  t.same(await migrateDown({ ...options, steps: 9 }), ['003.undo.c.sql', '002.undo.b.sql', '001.undo.a.sql'])
  t.same(await migrateDown({ ...options, steps: 1 }), [])
  t.same(await tableNames(database), [{ name: 'schemaversion' }])
})

t.test('eight processes at once apply each migration once', async (t) => {
  // Without a key, a second run would not fail by itself; each slow enough that all meet at the lock.
  const files = {
    '001.do.a.sql': 'CREATE TABLE runs (n int); SELECT pg_sleep(0.3); INSERT INTO runs VALUES (1);',
    '002.do.b.sql': 'INSERT INTO runs VALUES (2);',
    '003.do.c.sql':
      '-- no transaction\nINSERT INTO runs VALUES (3);\nCREATE INDEX CONCURRENTLY runs_n ON runs (n);',
  }
  const { database, options } = await setUp(t, files)
  const script = join(import.meta.dirname, '../../fixtures/migrate-once.ts')
  const children = Array.from({ length: 8 }, () =>
    fork(script, [database.url, options.directory], { execArgv: [] }),
  )
  t.teardown(() => children.map((child) => child.kill('SIGKILL')))
  const results = await Promise.all(
    children.map(async (child) => {
      const [[files], [code]] = await Promise.all([once(child, 'message'), once(child, 'exit')])
      t.equal(code, 0)
      return files
    }),
  )
  t.same(results.flat().sort(), Object.keys(files))
  t.same(await database.query('SELECT n FROM runs ORDER BY n'), [{ n: 1 }, { n: 2 }, { n: 3 }])
})

t.test('one that waits for the lock says so, and heeds no timeout', async (t) => {
  const files = { '001.do.a.sql': 'CREATE TABLE a (); SELECT pg_advisory_xact_lock(7);' }
  const { database, messages, options } = await setUp(t, files)
  const gate = await holdTransaction(t, database, 'SELECT pg_advisory_xact_lock(7)')
  const first = migrateUp({ ...options, log: () => undefined })
  await waiting(database, 1)
  const connection = connectionTo(database.url, { lock_timeout: 1, query_timeout: 1 })
  const second = migrateUp({ ...options, connection })
  await eventually(async () => messages.length > 0)
  // Longer than those timeouts.
  await database.query('SELECT pg_sleep(0.05)')
  await gate.commit()
  t.same(await second, [])
  t.same(await first, ['001.do.a.sql'])
  t.same(messages, ['Waiting for another instance that migrates the database'])
})

t.test('a migration that fails', async (t) => {
  const failing = [
    {
      name: 'by syntax',
      sql: '-- Why.\nCREATE TABLE b ();\n\nCREATE TABLE c (\n  id int,\n  name txet\n);\n',
      message:
        /^002\.do\.b\.sql, line 6: type "txet" does not exist\n {2}in: CREATE TABLE c \( id int, name txet \)\n {2}Nothing/,
    },
    {
      name: 'by data, where PostgreSQL tells no position',
      sql: `CREATE TABLE b ();\n\nINSERT INTO a\n  VALUES (1); -- ${'long '.repeat(100)}`,
      message: /^002\.do\.b\.sql, line 3: duplicate key value .*\n {2}in: INSERT INTO a VALUES \(1\)\n/,
    },
    {
      name: 'in a long statement',
      sql: `CREATE TABLE b ();\nSELECT '${'x'.repeat(500)}', 1 / 0`,
      message: /line 2: division by zero\n {2}in: SELECT 'x{192}\.\.\.\n/,
    },
    {
      name: 'at COMMIT',
      sql: 'CREATE TABLE b (id int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO b VALUES (7);\n',
      message: /^002\.do\.b\.sql, line 3: insert or update on table "b" violates .*\n {2}in: COMMIT/,
    },
    {
      name: 'because it would end its transaction',
      sql: 'CREATE TABLE b ();\nCommit;\nSELECT 1 / 0',
      message: /^002\.do\.b\.sql, line 2: .*must not contain Commit; begin the file with "-- no transaction"/,
    },
  ]
  for (const { name, sql, message } of failing) {
    t.test(name, async (t) => {
      const files = { '001.do.a.sql': THREE['001.do.a.sql'], '002.do.b.sql': sql }
      const { database, options } = await setUp(t, files)
      await t.rejects(migrateUp(options), { name: 'MigrationError', message })
      t.same(await tableNames(database), [{ name: 'a' }, { name: 'schemaversion' }])
      t.match(await migrationStatus(options), [{ state: 'applied' }, { state: 'pending' }])
      await writeFile(join(options.directory, '002.do.b.sql'), 'CREATE TABLE b ();')
      t.same(await migrateUp(options), ['002.do.b.sql'])
    })
  }

  t.test('as the first leaves an empty database', async (t) => {
    const { database, options } = await setUp(t, { '001.do.a.sql': 'CREATE TABLE a (); SELECT no_such();' })
    await t.rejects(migrateUp(options), { message: /function no_such\(\) does not exist/ })
    t.same(await tableNames(database), [])
  })

  t.test('without a transaction says that it is half done', async (t) => {
    const sql = '-- no transaction\nCREATE TABLE b ();\nSELECT 1 / 0;\n'
    const { database, options } = await setUp(t, { '001.do.b.sql': sql })
    await t.rejects(migrateUp(options), { message: /line 3: division by zero.*what stands before/s })
    t.same(await tableNames(database), [{ name: 'b' }, { name: 'schemaversion' }])
    t.match(await migrationStatus(options), [{ state: 'pending' }])
  })

  t.test('as its connection is lost', async (t) => {
    const sql = 'CREATE TABLE a (); SELECT pg_terminate_backend(pg_backend_pid());'
    const { database, options } = await setUp(t, { '001.do.a.sql': sql })
    await t.rejects(migrateUp(options), { name: 'MigrationError', message: /^001\.do\.a\.sql, line 1: / })
    t.same(await tableNames(database), [])
  })
})

t.test('a file that was changed after it was applied is refused', async (t) => {
  const { options } = await setUp(t, { ...THREE, '004.do.d.sql': 'SELECT 1' })
  await rm(join(options.directory, '004.do.d.sql'))
  await migrateUp(options)
  await writeFile(join(options.directory, '004.do.d.sql'), 'SELECT 1')

  const file = join(options.directory, '002.do.b.sql')
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'))
  t.match(await migrationStatus(options), [{}, { state: 'applied' }], 'line endings do not count')
  await appendFile(file, '-- more')
  const message = /^002\.do\.b\.sql was changed after it was applied/
  await t.rejects(migrateUp(options), { name: 'MigrationError', message })
  t.match(await migrationStatus(options), [{}, { state: 'changed' }, {}, { state: 'pending' }])
})

t.test('a migration that was left out is refused', async (t) => {
  const { database, options } = await setUp(t, THREE)
  await migrateUp(options)
  await database.query('DELETE FROM schemaversion WHERE version = 2')
  t.match(await migrationStatus(options), [{}, { state: 'skipped' }, {}])
  await t.rejects(migrateUp(options), { message: /^002\.do\.b\.sql was never applied, although a later/ })
})

t.test('a database that is newer than the files is left alone', async (t) => {
  const { database, options } = await setUp(t, THREE)
  await migrateUp(options)
  await rm(join(options.directory, '003.do.c.sql'))
  await rm(join(options.directory, '003.undo.c.sql'))
  t.same(await migrateUp(options), [])
  t.match(await migrationStatus(options), [{}, {}, { version: 3, name: 'c', state: 'unknown' }])
  await t.rejects(migrateDown({ ...options, steps: 1 }), { message: /^Version 3 \(c\) cannot be undone/ })
  t.match(await database.query('SELECT max(version)::int AS version FROM schemaversion'), [{ version: 3 }])
})

t.test('an undo that is missing is told before anything is undone', async (t) => {
  const { options } = await setUp(t, THREE)
  await migrateUp(options)
  await rm(join(options.directory, '002.undo.b.sql'))
  await t.rejects(migrateDown({ ...options, steps: 2 }), { message: /^Version 2 \(b\) cannot be undone/ })
  t.match(await migrationStatus(options), [{}, {}, { state: 'applied' }])
})

t.test('no migrations at all is fine, and so is a directory with a strange name', async (t) => {
  const { options } = await setUp(t, {})
  t.same(await migrateUp(options), [])
  t.same(await migrationStatus(options), [])
  const directory = join(options.directory, 'a [b] {c,d} (e)*')
  await mkdir(directory)
  await writeFile(join(directory, '001.do.a.sql'), 'SELECT 1')
  t.same(await migrateUp({ ...options, directory }), ['001.do.a.sql'])
  t.match(await migrationStatus({ ...options, directory }), [{ state: 'applied' }])
})

t.test('the version check', async (t) => {
  const { database, options } = await setUp(t, THREE)
  const query = async (text: string) => ({ rows: await database.query(text) })
  const isCurrent = await createVersionCheck(options.directory)
  t.equal(await isCurrent(query), false, 'an empty database')
  await migrateUp(options)
  t.equal(await isCurrent(query), true)
  await migrateDown({ ...options, steps: 1 })
  t.equal(await isCurrent(query), false, 'one behind')

  const isCurrentForOlder = await createVersionCheck(t.testdir({ '001.do.a.sql': '' }))
  t.equal(await isCurrentForOlder(query), true, 'a newer database')
  await t.rejects(
    isCurrent(() => Promise.reject(new Error('away'))),
    { message: 'away' },
  )
})

t.test('a server that does not answer is an error, not a crash', async (t) => {
  const { options } = await setUp(t, THREE)
  const connection = connectionTo('postgres://nobody@127.0.0.1:1/none')
  await t.rejects(migrateUp({ ...options, connection }), { code: 'ECONNREFUSED' })
})
