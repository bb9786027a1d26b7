import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { backUp } from '#lib/backup/backup.ts'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import { Session } from '#lib/database/session.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { inventory } from '#services/storage/inventory.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { signUp, testConfig } from '#test/support/helper.ts'
import {
  type PgBouncerOptions,
  startPgBouncer,
  WITHOUT_PGBOUNCER,
  WITHOUT_TRACKING,
} from '#test/support/pgbouncer.ts'

const skip = WITHOUT_PGBOUNCER

const NEW_USER = { email: 'ada@example.com', username: 'ada', password: 'a long pass phrase of hers' }

async function startApp(
  t: Test,
  db: TestDatabase,
  options: PgBouncerOptions,
  env: Record<string, string> = {},
) {
  const url = await startPgBouncer(t, db.url, options)
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const config = testConfig(url, { APP_ROLE: 'web', ...env })
  const app = await buildApp(config, { logger: { level: 'warn', stream } })
  t.teardown(() => app.close())
  return { app, url, log: () => lines.join('') }
}

for (const mode of ['transaction', 'session'] as const) {
  t.test(`${mode} mode, as it is by default: ready means that logins work`, { skip }, async (t) => {
    const db = await createTestDatabase(t)
    // In session mode each of our connections has one of the server's.
    const { app, log } = await startApp(t, db, { mode, poolSize: mode === 'session' ? 20 : 2 })
    t.equal((await app.inject('/ready')).statusCode, 200)
    const { user, password, headers } = await signUp(app)
    const login = () =>
      app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: { email: user.email, password } })
    const answers = await Promise.all(Array.from({ length: 8 }, login))
    t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
    const reads = await Promise.all(
      Array.from({ length: 40 }, () => app.inject({ url: '/api/v1/users/me', headers })),
    )
    t.same([...new Set(reads.map(({ statusCode }) => statusCode))], [200])
    t.match(log(), /there is a pooler before PostgreSQL/)
    t.match(log(), /statement_timeout = 0/, 'what it keeps us from setting is told')
  })
}

t.test('statement mode has no transactions: not ready, and the log says why', { skip }, async (t) => {
  const { app, log } = await startApp(t, await createTestDatabase(t), { mode: 'statement' })
  const ready = await app.inject('/ready')
  t.equal(ready.statusCode, 503)
  t.match(ready.json().checks, [
    { name: 'database', reason: 'the pooler before the database has no transactions' },
  ])
  t.match(log(), /pool_mode = statement\): set pool_mode = transaction/)
  t.equal((await app.inject({ method: 'POST', url: '/api/v1/users', payload: NEW_USER })).statusCode, 503)
})

for (const mode of ['transaction', 'session'] as const) {
  t.test(
    `statements by name, ${mode} mode: refused where nobody keeps track of them`,
    { skip },
    async (t) => {
      const env = { APP_DATABASE__PREPARED_STATEMENTS: 'true' }
      const { app, log } = await startApp(t, await createTestDatabase(t), { mode, poolSize: 20 }, env)
      for (let asked = 0; asked < 3; asked++) {
        const ready = await app.inject('/health')
        t.equal(ready.statusCode, 503)
        const reason = 'the pooler before the database does not keep track of prepared statements'
        t.match(ready.json().checks, [{ name: 'database', reason }])
      }
      t.match(log(), /max_prepared_statements = 200 of PgBouncer, or APP_DATABASE__PREPARED_STATEMENTS=auto/)
      t.equal((await app.inject({ method: 'POST', url: '/api/v1/users', payload: NEW_USER })).statusCode, 503)
    },
  )
}

t.test(
  'statements by name through a pooler that keeps track of them',
  { skip: WITHOUT_TRACKING },
  async (t) => {
    const db = await createTestDatabase(t)
    const env = { APP_DATABASE__PREPARED_STATEMENTS: 'true' }
    const { app } = await startApp(t, db, { tracked: 200 }, env)
    t.equal((await app.inject('/ready')).statusCode, 200)
    const { headers } = await signUp(app)
    const reads = await Promise.all(
      Array.from({ length: 40 }, () => app.inject({ url: '/api/v1/users/me', headers })),
    )
    t.same([...new Set(reads.map(({ statusCode }) => statusCode))], [200])
  },
)

t.test('settings that a pooler keeps us from changing are looked at', { skip }, async (t) => {
  const db = await createTestDatabase(t)
  await db.query(`ALTER DATABASE ${db.name} SET bytea_output = escape`)
  await db.query(`ALTER DATABASE ${db.name} SET search_path = pg_catalog`)
  // PgBouncer keeps this one for each client.
  await db.query(`ALTER DATABASE ${db.name} SET DateStyle = 'German'`)
  const { app, url, log } = await startApp(t, db, {})
  t.equal((await app.inject('/ready')).statusCode, 503)
  t.match(log(), /behind the pooler .*bytea_output = escape.*ALTER ROLE \w+ SET .*bytea_output = 'hex'/)
  await db.query(`ALTER DATABASE ${db.name} RESET bytea_output`)
  await db.query(`ALTER DATABASE ${db.name} RESET search_path`)
  await db.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )
  await eventually(async () => (await app.inject('/ready')).statusCode === 200)
  const client = new Session(connectionTo(url))
  await client.connect()
  t.match((await client.query('SHOW DateStyle')).rows, [{ DateStyle: 'ISO, MDY' }])
  t.equal(client.isPooled, true)
  await client.end()
})

t.test('migrations through a pooler: once, by any process, and no lock stays behind', { skip }, async (t) => {
  const db = await createEmptyDatabase(t)
  // One holds the lock, one migrates; who waits keeps none.
  const url = await startPgBouncer(t, db.url, { poolSize: 2 })
  const migrate = () => migrateUp({ connection: connectionTo(url), directory: MIGRATIONS })
  const [one, two] = await Promise.all([migrate(), migrate()])
  t.ok(one.length + two.length > 0)
  t.ok(one.length === 0 || two.length === 0, 'one of them had nothing to do')
  t.same(
    await db.query(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    [],
  )
  t.same(await migrateUp({ connection: connectionTo(db.url), directory: MIGRATIONS }), [])
})

t.test(
  'an index is built concurrently through a pooler: the lock holds it up no more',
  { skip },
  async (t) => {
    const db = await createEmptyDatabase(t)
    const url = await startPgBouncer(t, db.url, { poolSize: 2 })
    const directory = t.testdir({
      '001.do.a.sql': 'CREATE TABLE a (id int);\n',
      '002.do.b.sql': '-- no transaction\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n',
    })
    t.same(await migrateUp({ connection: connectionTo(url), directory }), ['001.do.a.sql', '002.do.b.sql'])
  },
)

t.test(
  'migrations through a pooler with one connection: told to raise that, and nothing hangs',
  { skip },
  async (t) => {
    const db = await createEmptyDatabase(t)
    const url = await startPgBouncer(t, db.url, { poolSize: 1 })
    const connection = { ...connectionTo(url), connectionTimeoutMillis: 1000 }
    await t.rejects(migrateUp({ connection, directory: MIGRATIONS }), {
      name: 'UnusableSession',
      message: /two connections at once.*default_pool_size/,
    })
    const left =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    await eventually(async () => (await db.query(left)).length === 0)
  },
)

t.test("PostgreSQL's programs are not let near a pooler", { skip }, async (t) => {
  const db = await createTestDatabase(t)
  const { database } = testConfig(await startPgBouncer(t, db.url))
  const place = t.testdir({})
  const options = {
    connection: await connectionOptions(database),
    tls: database,
    store: new DirectoryStore(place),
    contents: new LocalStore(place),
    inventory,
    serviceVersion: '0.0.0',
    log: () => undefined,
  }
  await t.rejects(backUp(options), { name: 'BackupError', message: /There is a pooler before PostgreSQL/ })
})
