import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '#app.ts'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'

const KILL = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`

t.test('an idle connection that is lost is a warning, no crash', async (t) => {
  const { app, db, logs } = await createTestApp(t)
  const one = { name: 'one', text: 'SELECT 1 AS one' }
  await app.db.query(one)
  await db.query(KILL)
  const warning = { level: 'warn', msg: 'lost an idle database connection', err: { code: '57P01' } }
  await eventually(async () => logs().some(({ msg }) => msg === warning.msg))
  t.match(
    logs().filter(({ msg }) => msg === warning.msg),
    [warning],
  )
  // The pool notices the end of each by itself.
  await eventually(() =>
    app.db.query(one).then(
      () => true,
      () => false,
    ),
  )
})

t.test('the metrics say what the pool does', async (t) => {
  const { app } = await createTestApp(t, { APP_DATABASE__MAX_CONNECTIONS: '3', APP_ROLE: 'web' })
  const metrics = () => app.metrics.metrics()
  const one = { name: 'one', text: 'SELECT 1' }
  await app.db.query(one)
  await app.db.query({ ...one, pipelined: true })
  await app.db.query({ name: 'bad', text: 'SELEC' }).catch(() => undefined)
  t.match(await metrics(), 'db_query_duration_seconds_count{statement="one"} 2')
  t.match(await metrics(), 'db_query_duration_seconds_count{statement="bad"} 1', 'failures count too')
  t.match(await metrics(), /db_pool_wait_seconds_count [1-9]/)

  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const transactions = Array.from({ length: 4 }, () => app.db.transaction(() => held))
  const pool = async () =>
    [...(await metrics()).matchAll(/^db_pool_connections\{state="(\w+)"\} (\d+)$/gm)].map(
      ([, state, count]) => `${state} ${count}`,
    )
  // More may wait: on a slow machine the queues of jobs are still being made.
  const expected = /^idle 0,active 3,waiting [2-9]$/
  await eventually(async () => expected.test(String(await pool())))
  release()
  await Promise.all(transactions)
  await eventually(async () => (await pool()).includes('waiting 0'))
})

t.test('a closed application leaves no connection', async (t) => {
  const db = await createTestDatabase(t)
  const app = await buildApp(testConfig(db.url, { APP_LOG__LEVEL: 'silent' }))
  await app.db.query({ name: 'one', text: 'SELECT 1', pipelined: true })
  await Promise.all(Array.from({ length: 5 }, () => app.db.query({ name: 'one', text: 'SELECT 1' })))
  await app.close()
  const others = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
  await eventually(async () => (await db.query(others)).length === 0)
  t.equal(app.pg.pool.totalCount, 0)
})

t.test('TLS', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-'))
  const file = async (name: string) => {
    await writeFile(join(directory, name), `content of ${name}`)
    return join(directory, name)
  }
  const url = 'postgres://app@127.0.0.1/app'
  const options = async (env: Record<string, string>) =>
    (await connectionOptions(testConfig(url, env).database)).ssl

  t.equal(await options({}), false, 'is off unless asked for')
  t.same(await options({ APP_DATABASE__TLS: 'require' }), { rejectUnauthorized: false })
  t.same(await options({ APP_DATABASE__TLS: 'verify' }), { rejectUnauthorized: true })
  const files = {
    APP_DATABASE__TLS: 'verify',
    APP_DATABASE__TLS_CA_FILE: await file('ca.pem'),
    APP_DATABASE__TLS_CERT_FILE: await file('cert.pem'),
    APP_DATABASE__TLS_KEY_FILE: await file('key.pem'),
  }
  t.same(await options(files), {
    rejectUnauthorized: true,
    ca: Buffer.from('content of ca.pem'),
    cert: Buffer.from('content of cert.pem'),
    key: Buffer.from('content of key.pem'),
  })
  await t.rejects(options({ ...files, APP_DATABASE__TLS_CA_FILE: join(directory, 'none') }), {
    message: /APP_DATABASE__TLS_CA_FILE: names a file that cannot be read \(ENOENT\)/,
  })
})

t.test('a server without TLS, asked for TLS, is unavailable', async (t) => {
  const db = await createTestDatabase(t)
  const app = await buildApp(testConfig(db.url, { APP_LOG__LEVEL: 'silent', APP_DATABASE__TLS: 'require' }))
  t.teardown(() => app.close())
  const payload = { email: 'ada@example.com', password: 'correct horse' }
  const response = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'database_unavailable')
})
