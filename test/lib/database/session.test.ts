import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DatabaseUnavailable, databaseError } from '#lib/database/errors.ts'
import { type ConnectionOptions, Session } from '#lib/database/session.ts'
import { amount } from '#test/support/amount.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { createTestApp } from '#test/support/helper.ts'
import { HOSTILE, TIMES } from './hostile-settings.ts'

async function open(t: Test, db: TestDatabase, options: Partial<ConnectionOptions> = {}): Promise<Session> {
  const client = new Session(connectionTo(db.url, options))
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

t.test("settings of the database and the role don't reach a session", async (t) => {
  const db = await createTestDatabase(t)
  for (const [name, value] of HOSTILE) await db.query(`ALTER DATABASE ${db.name} SET ${name} = ${value}`)
  const client = await open(t, db, TIMES)
  for (const [name, , expected] of HOSTILE) {
    t.match(
      (await client.query(`SELECT current_setting('${name}') AS value`)).rows,
      [{ value: expected }],
      name,
    )
  }
  t.same([client.isPooled, client.differing, client.prepares], [false, [], true])
})

t.test('a limit that is shorter than the login takes', async (t) => {
  const db = await createTestDatabase(t)
  await db.query(`ALTER DATABASE ${db.name} SET statement_timeout = '1ms'`)
  for (let i = 0; i < amount({ few: 20, many: 100 }); i++) {
    const client = await open(t, db, TIMES)
    t.match((await client.query('SHOW statement_timeout')).rows, [{ statement_timeout: '10s' }])
  }
})

t.test('variables of PostgreSQL are not read', async (t) => {
  const variables = {
    PGHOST: 'nosuch.invalid',
    PGPORT: '1',
    PGUSER: 'nobody',
    PGDATABASE: 'nothing',
    PGPASSWORD: 'wrong',
    PGOPTIONS: '-c statement_timeout=1',
    PGAPPNAME: 'somebody',
    PGSSLMODE: 'require',
    PGSSLNEGOTIATION: 'direct',
    PGCLIENTENCODING: 'LATIN1',
    PGREPLICATION: 'database',
    PGREQUIREAUTH: 'none',
  }
  const db = await createTestDatabase(t)
  const before = { ...process.env }
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  })
  const client = await open(t, db, TIMES)
  const { rows } = await client.query(
    "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
  )
  t.match(rows, [{ name: 'groundwork-test', timeout: '10s', ssl: false }])
  const { password, ...without } = connectionTo(db.url)
  const nameless = new Session({ ...without, password: undefined })
  nameless.on('error', () => undefined)
  await t.rejects(nameless.connect(), {
    message: 'PostgreSQL asks for a password, and database.url has none',
  })
  t.ok(password)
})

t.test('a session in which no trigger fires is refused', async (t) => {
  const db = await createTestDatabase(t)
  await db.querySuper(`ALTER DATABASE ${db.name} SET session_replication_role = replica`)
  const client = new Session(connectionTo(db.url))
  client.on('error', () => undefined)
  const error: unknown = await client.connect().catch((thrown: unknown) => thrown)
  t.match(error, {
    name: 'UnusableSession',
    message: /^session_replication_role is replica.*ALTER ROLE \w+ RESET/,
  })
  t.ok(databaseError(error) instanceof DatabaseUnavailable)
})

t.test('the application works with hostile settings', async (t) => {
  const { app, db, signUp, request } = await createTestApp(t)
  for (const [name, value] of HOSTILE) await db.query(`ALTER DATABASE ${db.name} SET ${name} = ${value}`)
  // The connections of before have what was set then.
  await db.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )
  const admin = await signUp({ role: 'admin' })
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
  const me = await request({ url: '/api/v1/users/me', as: admin })
  t.match(me.json(), { created_at: time })
  const list = await request({ url: '/api/v1/users', as: admin })
  t.match(list.json(), { data: [{ created_at: time }] })
  t.ok(app)
})

t.test('nothing connects in another way', (t) => {
  const root = join(import.meta.dirname, '../../..')
  for (const folder of ['commands', 'plugins', 'services']) {
    for (const file of globSync(`${folder}/**/*.ts`, { cwd: root })) {
      const text = readFileSync(join(root, file), 'utf8')
      t.notMatch(text, /new pg\.\w+\(|import (?!pg|type).* from 'pg'|connectionString/, file)
    }
  }
  t.end()
})
