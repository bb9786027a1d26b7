import t from 'tap'
import { buildApp } from '#app.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

const MIGRATE = { APP_DATABASE__MIGRATE_ON_START: 'true' }

t.test('an empty database has its tables when the application is ready', async (t) => {
  const db = await createEmptyDatabase(t)
  const { request } = await createTestApp(t, { ...MIGRATE, APP_DATABASE__URL: db.url })
  t.strictSame(await db.query('SELECT count(*)::int AS count FROM users'), [{ count: 0 }])
  t.equal((await request({ url: '/ready' })).statusCode, 200)
})

t.test('a database that is away at start is migrated when it comes', async (t) => {
  const db = await createEmptyDatabase(t)
  const proxy = await startProxy(t, db.url, { open: false })
  const { request, logs } = await createTestApp(t, { ...MIGRATE, APP_DATABASE__URL: proxy.url })
  const status = async (url: string) => (await request({ url })).statusCode

  t.equal(await status('/live'), 200)
  t.equal(await status('/ready'), 503)
  const payload = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery staple' }
  const refused = await request({ method: 'POST', url: '/api/v1/users', payload })
  t.equal(refused.statusCode, 503)
  t.match(refused.json(), { code: 'database_unavailable' })
  t.ok(refused.headers['retry-after'])
  // The start waits for the first attempt, but not for ever.
  const told = () => logs().find(({ msg }) => msg === 'the database is away; migrations wait for it')
  await eventually(async () => told() !== undefined)
  t.match(told(), { level: 'warn', err: { code: 'ECONNREFUSED' } })

  await proxy.restore()
  await eventually(async () => (await status('/ready')) === 200)
  t.equal((await request({ method: 'POST', url: '/api/v1/users', payload })).statusCode, 201)
  t.strictSame(await db.query('SELECT username FROM users'), [{ username: 'ada' }])
})

t.test('it can be closed while it waits for the database', async (t) => {
  const app = await buildApp(testConfig('postgres://app:pw@127.0.0.1:1/app', MIGRATE), { logger: false })
  await app.close()
  t.pass('closed')
})

t.test('a database that was changed by hand keeps it from starting', async (t) => {
  const db = await createEmptyDatabase(t)
  await db.query('CREATE TABLE users (id int)')
  await t.rejects(buildApp(testConfig(db.url, MIGRATE), { logger: false }), {
    message: /001\.do\.create-users\.sql/,
  })
})
