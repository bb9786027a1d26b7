import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { sendMailJob } from '#services/mail/jobs.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'

interface Received {
  url: string | undefined
  auth: string | undefined
  body: string
}

/** Receives envelopes as Sentry does; `answer` can be told to refuse or to stay silent. */
async function startReceiver(t: Test, status = 200) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    received.push({ url: request.url, auth: String(request.headers['x-sentry-auth']), body })
    if (status !== 0) response.writeHead(status, { 'retry-after': '60' }).end('{}')
  })
  const url = await listenOn(t, server)
  return { received, dsn: `${url.replace('//', '//key@')}/base/42` }
}

async function withErrors(t: Test, dsn?: string) {
  const env: Record<string, string> = dsn === undefined ? {} : { APP_ERRORS__DSN: dsn }
  return createTestApp(t, env, async (instance) => {
    let count = 0
    instance.get('/broken', { schema: { hide: true } }, async () => {
      throw new TypeError(`for ada@example.com from 203.0.113.9 with password=hunter22 ${count++}`)
    })
    instance.get('/other', { schema: { hide: true } }, async () => {
      throw new RangeError('other')
    })
    for (let kind = 0; kind < 70; kind++) {
      instance.get(`/kind/${kind}`, { schema: { hide: true } }, async () => {
        throw Object.assign(new Error('a kind'), { code: `KIND_${kind}` })
      })
    }
  })
}

const metric = (name: string, labels: string) => new RegExp(`^${name}\\{${labels}\\} (\\d+)$`, 'm')

t.test('each 5xx is counted by a fingerprint that its message has no part in', async (t) => {
  const { app, request } = await withErrors(t)
  for (const url of ['/broken', '/broken', '/other', '/nothing']) await request({ url })
  const metrics = await app.metrics.metrics()
  const of = (type: string) =>
    metric('errors_total', `fingerprint="([0-9a-f]{16})",type="${type}",operation="other"`).exec(metrics)
  t.equal(of('TypeError')?.[2], '2')
  t.equal(of('RangeError')?.[2], '1')
  t.not(of('TypeError')?.[1], of('RangeError')?.[1])
  t.notMatch(metrics, 'error_reports_total')
})

t.test('the metric does not grow without end', async (t) => {
  const { app, request } = await withErrors(t)
  for (let kind = 0; kind < 70; kind++) await request({ url: `/kind/${kind}` })
  const metrics = await app.metrics.metrics()
  t.equal(metrics.match(/^errors_total\{/gm)?.length, 51)
  t.match(metrics, 'errors_total{fingerprint="other",type="other",operation="other"} 20')
})

t.test('what is reported is an event of Sentry, scrubbed, and once for its like', async (t) => {
  const { received, dsn } = await startReceiver(t)
  const { app, request } = await withErrors(t, dsn)
  for (const url of ['/broken?q=typed', '/broken', '/other']) await request({ url })
  await eventually(async () => received.length === 2)
  const [first] = received
  t.match(first, { url: '/base/api/42/envelope/', auth: /^Sentry sentry_version=7, .*sentry_key=key$/ })
  const [header, item, body] = String(first?.body).split('\n')
  const event = JSON.parse(String(body))
  t.equal(JSON.parse(String(header)).event_id, event.event_id)
  t.match(JSON.parse(String(item)), { type: 'event', length: Buffer.byteLength(String(body)) })
  t.match(event, {
    platform: 'node',
    level: 'error',
    environment: 'test',
    transaction: 'other',
    fingerprint: [/^[0-9a-f]{16}$/],
    tags: { status: '500', request_id: String },
    exception: { values: [{ type: 'TypeError', stacktrace: { frames: Array } }] },
  })
  const frames: { filename: string; in_app: boolean }[] = event.exception.values[0].stacktrace.frames
  t.ok(
    frames.some(
      ({ filename, in_app }) => in_app && filename === 'test/plugins/infrastructure/error-reports.test.ts',
    ),
  )
  for (const secret of ['ada@', '203.0.113.9', 'hunter22', 'typed', process.cwd()])
    t.notMatch(first?.body, secret)
  await eventually(async () =>
    (await app.metrics.metrics()).includes('error_reports_total{outcome="sent"} 2'),
  )
  t.match(await app.metrics.metrics(), 'error_reports_total{outcome="dropped"} 1')
})

t.test('a job that is given up is reported', async (t) => {
  const { received, dsn } = await startReceiver(t)
  const { app } = await withErrors(t, dsn)
  await app.db.transaction(async (db) => {
    await app.jobs.enqueue(db, sendMailJob, JSON.parse('{ "message": { "template": "none" } }'))
    const text = "UPDATE pgboss.job SET retry_limit = 0 WHERE name = 'send_mail'"
    await db.query({ name: 'neverRetry', text, prepare: false })
  })
  await eventually(async () => received.length === 1)
  t.match(received[0]?.body, '"transaction":"send_mail"')
  t.match(await app.metrics.metrics(), /^errors_total\{.*operation="send_mail"\} 1$/m)
})

for (const [what, status, outcome] of [
  ['refuses', 429, 'dropped'],
  ['fails', 500, 'failed'],
] as const) {
  t.test(`a receiver that ${what} is not in the way`, async (t) => {
    const { received, dsn } = await startReceiver(t, status)
    const { app, request } = await withErrors(t, dsn)
    await request({ url: '/broken' })
    await eventually(async () =>
      (await app.metrics.metrics()).includes('error_reports_total{outcome="failed"} 1'),
    )
    t.equal((await request({ url: '/other' })).statusCode, 500)
    const reached = metric('error_reports_total', `outcome="${outcome}"`)
    await eventually(async () => Number(reached.exec(await app.metrics.metrics())?.[1]) >= 1)
    t.equal(received.length <= 2, true)
  })
}

t.test('a receiver that hangs gets a bounded number, and does not hold up the end', async (t) => {
  const { received, dsn } = await startReceiver(t, 0)
  const { app, request } = await withErrors(t, dsn)
  for (let kind = 0; kind < 70; kind++) t.equal((await request({ url: `/kind/${kind}` })).statusCode, 500)
  await eventually(async () => received.length === 1)
  const dropped = metric('error_reports_total', 'outcome="dropped"').exec(await app.metrics.metrics())?.[1]
  t.ok(Number(dropped) >= 10)
  await app.close()
})
