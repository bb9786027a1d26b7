import t, { type Test } from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestApp } from '#test/support/helper.ts'
import { statementCounts } from '#test/support/instances.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const INTERNAL = /ECONN|127\.0\.0\.1|localhost|postgres|timeout|SELECT|schemaversion|at /

/** Short times, so that a test need not wait for the default ones. */
const SHORT = { APP_DATABASE__CONNECTION_TIMEOUT: '500ms', APP_DATABASE__QUERY_TIMEOUT: '1s' }

type Reasons = Partial<Record<'database' | 'migrations' | 'draining', RegExp>>

/** Checks that /ready and /health name exactly these failing checks, and /live none. */
async function expectChecks(t: Test, { request, app }: TestApp, failing: Reasons): Promise<void> {
  const isUp = Object.keys(failing).length === 0
  const checks = (['database', 'migrations', 'draining'] as const).map((name) => {
    const reason = failing[name]
    return reason ? { name, status: 'down', reason } : { name, status: 'up', reason: undefined }
  })

  const ready = await request({ url: '/ready' })
  t.equal(ready.statusCode, isUp ? 200 : 503, '/ready')
  t.match(ready.json(), {
    status: isUp ? 'ready' : 'not_ready',
    checks,
    version: app.appVersion,
    timestamp: TIMESTAMP,
  })
  t.equal(ready.json().checks.length, checks.length)

  const health = await request({ url: '/health' })
  t.equal(health.statusCode, isUp ? 200 : 503, '/health')
  t.match(health.json(), {
    status: isUp ? 'healthy' : 'unhealthy',
    checks: checks.map((check) => ({ ...check, latency_ms: Number })),
    uptime_seconds: Number,
    version: app.appVersion,
    timestamp: TIMESTAMP,
  })

  const live = await request({ url: '/live' })
  t.equal(live.statusCode, 200, '/live')
  t.match(live.json(), { status: 'alive', version: app.appVersion, timestamp: TIMESTAMP })

  const metrics = await app.metrics.metrics()
  for (const { name, status } of checks) {
    t.match(metrics, `\nhealth_check_up{check="${name}"} ${status === 'up' ? 1 : 0}\n`)
  }

  for (const { reason } of [...ready.json().checks, ...health.json().checks]) {
    if (reason !== undefined) t.notMatch(reason, INTERNAL, 'a reason that anyone may read')
  }
}

async function isReady({ request }: TestApp): Promise<boolean> {
  return (await request({ url: '/ready' })).statusCode === 200
}

t.test('all is well', async (t) => {
  await expectChecks(t, await borrowTestApp(t), {})
})

t.test('checks are made once for many questions', async (t) => {
  const { app, request } = await borrowTestApp(t)
  const urls = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? '/ready' : '/health'))
  const responses = await Promise.all(urls.map((url) => request({ url })))
  t.ok(responses.every(({ statusCode }) => statusCode === 200))
  t.match(await statementCounts(app), { checkDatabase: 1, checkMigrations: 1 })
  await eventually(async () => {
    await request({ url: '/ready' })
    return ((await statementCounts(app))['checkDatabase'] ?? 0) > 1
  })
  t.pass('and again later')
})

t.test('the database refuses connections', async (t) => {
  const test = await borrowTestApp(t, { ...SHORT, APP_DATABASE__URL: 'postgres://app:pw@127.0.0.1:1/app' })
  await expectChecks(t, test, {
    database: /^the database does not answer$/,
    migrations: /^the schema version cannot be read$/,
  })
  const warning = test
    .logs()
    .find(({ level, msg }) => level === 'warn' && msg === 'the database does not answer')
  t.match(warning, { err: { cause: { code: 'ECONNREFUSED' } } }, 'the log says why')
})

t.test('the database accepts and says nothing', async (t) => {
  const proxy = await startProxy(t, 'postgres://app:pw@127.0.0.1:1/app')
  proxy.hang()
  // The default of config/default.toml, which is longer than what /health may take.
  const test = await borrowTestApp(t, {
    APP_DATABASE__URL: proxy.url,
    APP_DATABASE__CONNECTION_TIMEOUT: '3s',
  })
  await expectChecks(t, test, {
    database: /^no answer within \d+ ms$/,
    migrations: /^no answer within \d+ ms$/,
  })
})

t.test('the database hangs, goes away and comes back', async (t) => {
  const { url } = await createTestDatabase(t)
  const proxy = await startProxy(t, url)
  const test = await borrowTestApp(t, { ...SHORT, APP_DATABASE__URL: proxy.url })
  await expectChecks(t, test, {})

  proxy.hang()
  await eventually(async () => !(await isReady(test)))
  t.equal((await test.request({ url: '/live' })).statusCode, 200)
  await proxy.cut()
  await proxy.restore()
  await eventually(() => isReady(test))

  await proxy.cut()
  await eventually(async () => !(await isReady(test)))
  await proxy.restore()
  await eventually(() => isReady(test))
  await expectChecks(t, test, {})
})

t.test('migrations are pending', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const test = await borrowTestApp(t, { APP_DATABASE__URL: url })
  await expectChecks(t, test, { migrations: /^migrations are pending$/ })
})

t.test('the instance is draining', async (t) => {
  const test = await borrowTestApp(t)
  await expectChecks(t, test, {})
  test.app.drain()
  await expectChecks(t, test, { draining: /^the instance is shutting down$/ })
})
