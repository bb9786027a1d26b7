import t from 'tap'
import { bucketsOf } from '#test/support/buckets.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen, open } from '#test/support/raw-http.ts'

/** The series of a text exposition, by name and labels. */
function series(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

function label(name: string, key: string): string | undefined {
  return new RegExp(`[{,]${key}="([^"]*)"`).exec(name)?.[1]
}

const OPENMETRICS = 'text/plain;q=0.5, Application/OpenMetrics-text; version=1.0.0'

const STATEMENT = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Bounds by metric: what dashboards and alerts can tell apart. */
const BUCKETS: Readonly<Record<string, readonly number[]>> = {
  audit_sealing_lag_seconds: [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60],
  db_pool_wait_seconds: STATEMENT,
  db_query_duration_seconds: STATEMENT,
  http_request_duration_seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  job_duration_seconds: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
  password_hash_duration_seconds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  webhook_attempt_duration_seconds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60],
}

/** How the values of several workers become one, where that is not their sum. */
const AGGREGATORS: Readonly<Record<string, string>> = {
  app_info: 'first',
  audit_entries_refused: 'max',
  audit_pending_age_seconds: 'max',
  audit_problems: 'max',
  audit_verified_age_seconds: 'max',
  audit_verified_all_age_seconds: 'max',
  events_oldest_age_seconds: 'max',
  file_scan_oldest_age_seconds: 'max',
  groundwork_backup_last_success_timestamp_seconds: 'max',
  health_check_up: 'min',
  instances_known: 'max',
  job_oldest_age_seconds: 'max',
  job_queue_depth: 'max',
  process_memory_limit_bytes: 'max',
  realtime_reader_silence_seconds: 'max',
}

t.test('what is measured', async (t) => {
  const { app, request, signUp } = await createTestApp(t)
  const measured = async () => series(await app.metrics.metrics())
  const { user, password } = await signUp({ password: 'a password that only this test has' })
  const login = (payload: object) => request({ method: 'POST', url: '/api/v1/auth/login', payload })
  await login({ email: user.email, password })
  await login({ email: user.email, password: 'another one' })
  await login({ email: 'nobody@example.com', password })
  await request({ url: '/ready' })

  t.test('requests, by method, operation and status', async (t) => {
    const found = await measured()
    const login200 = 'http_request_duration_seconds_count{method="POST",operation="login",status_code="200"}'
    t.equal(found.get(login200), 1)
    t.equal(found.get(login200.replace('200', '401')), 2)
    t.equal(found.get('http_requests_in_flight'), 0)
  })

  t.test('logins by outcome', async (t) => {
    const found = await measured()
    t.equal(found.get('logins_total{outcome="success"}'), 1)
    t.equal(found.get('logins_total{outcome="invalid_credentials"}'), 2)
  })

  t.test('password hashes', async (t) => {
    const found = await measured()
    t.equal(found.get('password_hash_duration_seconds_count{operation="hash"}'), 1)
    t.equal(found.get('password_hash_duration_seconds_count{operation="verify"}'), 3)
    t.equal(found.get('password_hash_queue_length'), 0)
    t.ok((found.get('password_hash_duration_seconds_sum{operation="hash"}') ?? 0) > 0)
  })

  t.test('the database', async (t) => {
    const found = await measured()
    t.ok((found.get('db_query_duration_seconds_count{statement="insertUser:event"}') ?? 0) >= 1)
    t.ok((found.get('db_pool_wait_seconds_count') ?? 0) >= 1)
    for (const state of ['idle', 'active', 'waiting']) {
      t.type(found.get(`db_pool_connections{state="${state}"}`), 'number', state)
    }
  })

  t.test('what is running', async (t) => {
    const labels = `version="${app.appVersion}",node_version="${process.version}",environment="test"`
    t.equal((await measured()).get(`app_info{${labels}}`), 1)
    t.ok((await measured()).has('process_cpu_seconds_total'))
    t.ok((await measured()).has('nodejs_eventloop_lag_seconds'))
    t.equal((await measured()).get('instances_known'), 1)
  })

  t.test('in the format of Prometheus alone, while there are no traces to name', async (t) => {
    const { headers, body } = await request({ url: '/metrics', headers: { accept: OPENMETRICS } })
    t.match(headers['content-type'], /^text\/plain; version=0\.0\.4;/)
    t.notMatch(body, '# EOF')
  })

  t.test('what workers tell together, which all see the same', async (t) => {
    const all = await app.metrics.getMetricsAsJSON()
    const own = all.filter(({ name }) => !/^(?:nodejs|process)_(?!memory)/.test(name))
    const others = own.filter(({ aggregator }) => aggregator !== 'sum')
    t.same(Object.fromEntries(others.map(({ name, aggregator }) => [name, aggregator])), AGGREGATORS)
  })

  t.test('buckets, of seconds', async (t) => {
    for (const [name, buckets] of Object.entries(BUCKETS))
      t.strictSame(bucketsOf(app.metrics, name), buckets, name)
    const names = [...(await measured()).keys()].filter((name) => name.endsWith('_bucket'))
    const histograms = new Set(names.map((name) => name.replace(/_bucket.*/, '')))
    t.strictSame([...histograms.difference(new Set(Object.keys(BUCKETS)))], [])
  })
})

t.test('labels are of a closed set', async (t) => {
  const { app, request } = await createTestApp(t, {
    APP_LOG__LEVEL: 'silent',
    // Workers have statements of their own, each at its time.
    APP_ROLE: 'web',
    // Or this would be answered 503: it does not let the event loop turn.
    APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms',
  })
  const names = async () => [...series(await app.metrics.metrics()).keys()]
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'OPTIONS'] as const
  for (const method of methods) {
    await app.inject({ method: 'GET', url: '/nothing', headers: { 'x-method': method } })
    await app.inject({ method: method as 'GET', url: '/nothing' })
    await app.inject({ method: method as 'GET', url: '/live' })
  }
  for (const url of ['/docs/json', '/%zz', '/api/v1/users/1', '/api/v1/users/me']) await request({ url })
  // Reading them asks the database for the queues, which is counted from the second reading on.
  await names()
  const before = await names()
  for (let index = 0; index < 10_000; index++) {
    const method = methods[index % methods.length] ?? 'GET'
    await app.inject({ method: method as 'GET', url: `/${index}/${index * 7}?${index}` })
  }
  for (let index = 0; index < 100; index++) {
    await app.inject(`/api/v1/users/${index}`)
    await app.inject(`/docs/static/${index}`)
  }
  t.strictSame(
    (await names()).filter((name) => !before.includes(name) && !name.startsWith('nodejs_')),
    [],
  )

  const document: { paths?: object } = app.swagger()
  const operations = new Set(
    [...JSON.stringify(document.paths).matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id),
  )
  const labels = (await names()).flatMap((name) => label(name, 'operation') ?? [])
  const open = new Set(labels).difference(operations).difference(new Set(['hash', 'verify']))
  t.strictSame([...open].sort(), ['other', 'unknown'])
})

t.test('a request that the client gives up is no longer in flight', async (t) => {
  const { app } = await createTestApp(t, {}, async (instance) => {
    instance.get('/never', { schema: { hide: true } }, () => new Promise(() => undefined))
  })
  const port = await listen(app)
  const inFlight = async () => series(await app.metrics.metrics()).get('http_requests_in_flight')
  const sockets = Array.from({ length: 5 }, () => open(t, port))
  for (const socket of sockets) socket.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
  await eventually(async () => (await inFlight()) === 5)
  for (const socket of sockets) socket.destroy()
  await eventually(async () => (await inFlight()) === 0)
  const aborted = 'http_request_duration_seconds_count{method="GET",operation="other",status_code="499"}'
  t.equal(series(await app.metrics.metrics()).get(aborted), 5)
})
