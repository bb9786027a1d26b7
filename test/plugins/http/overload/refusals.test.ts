import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type LogRecord } from '#test/support/helper.ts'
import { exchange, listen } from '#test/support/raw-http.ts'

const FLOOD = 200

/** An application with routes that refuse, and what was logged of them. */
async function start(t: Test) {
  const test = await createTestApp(t, { APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms' }, async (app) => {
    const options = { schema: { hide: true } }
    app.get('/full', options, async () => {
      throw new PasswordQueueFull({ retryAfter: 2 })
    })
    app.get('/away', options, async () => {
      throw new DatabaseUnavailable({ retryAfter: 5, cause: new Error('connect ECONNREFUSED') })
    })
    app.get('/broken', options, async () => {
      throw new Error('a fault')
    })
  })
  const errors = () => test.logs().filter(({ level }) => level === 'error')
  const summarised = () => errors().reduce((sum, line) => sum + Number(line['refused'] ?? 0), 0)
  const flood = (url: string) =>
    Promise.all(Array.from({ length: FLOOD }, () => test.request({ url, headers: { host: 'x' } })))
  return { ...test, errors, summarised, flood }
}

async function refused(app: FastifyInstance, stage: string, reason: string): Promise<number | undefined> {
  const metric = await app.metrics.getSingleMetric('http_requests_refused_total')?.get()
  return metric?.values.find(({ labels }) => labels['stage'] === stage && labels['reason'] === reason)?.value
}

const inFull = ({ err }: LogRecord) => err !== undefined

t.test('a full queue is one line a second, without a stack, and no error to report', async (t) => {
  const { app, errors, summarised, flood } = await start(t)
  for (const response of await flood('/full')) t.equal(response.statusCode, 503)
  await eventually(async () => summarised() === FLOOD)
  const lines = errors()
  t.ok(lines.length < FLOOD / 10, `${lines.length} lines`)
  t.same(lines.filter(inFull), [])
  t.match(lines, [
    {
      msg: 'requests were refused',
      reasons: { password_queue_full: Number },
      pressure: { event_loop_utilization: Number, heap_used_bytes: Number, requests_in_flight: Number },
    },
  ])
  t.equal(await refused(app, 'operation', 'password_queue_full'), FLOOD)
  t.notMatch(await app.metrics.metrics(), /^errors_total\{/m)
})

t.test('a database that is away shows its cause once a second', async (t) => {
  const { app, errors, summarised, flood } = await start(t)
  await flood('/away')
  await eventually(async () => summarised() + errors().filter(inFull).length === FLOOD)
  const full = errors().filter(inFull)
  t.ok(full.length > 0 && full.length < FLOOD / 10, `${full.length} lines in full`)
  t.match(full[0], { msg: 'request failed', err: { message: 'connect ECONNREFUSED' } })
  t.equal(await refused(app, 'operation', 'database_unavailable'), FLOOD)
})

t.test('an error that nobody expected keeps its line', async (t) => {
  const { errors, flood } = await start(t)
  await flood('/broken')
  t.equal(errors().filter(inFull).length, FLOOD)
})

t.test("what is not HTTP is counted as the client's failure, and not summed up", async (t) => {
  const { app, logs, errors } = await start(t)
  await exchange(await listen(app), 'not HTTP at all\r\n\r\n')
  t.equal(await refused(app, 'parser', 'bad_request'), 1)
  t.match(logs().at(-1), { level: 'info', msg: 'request refused' })
  await app.close()
  t.same(errors(), [])
})

t.test('what was refused just before the end is still summed up', async (t) => {
  const { app, request, errors } = await start(t)
  await request({ url: '/full' })
  await app.close()
  t.match(errors(), [{ refused: 1, reasons: { password_queue_full: 1 } }])
})

t.test('every reason is there from the start, so that its first increase counts', async (t) => {
  const { app } = await start(t)
  for (const [stage, reason] of [
    ['parser', 'headers_too_large'],
    ['admission', 'event_loop'],
    ['admission', 'database'],
    ['admission', 'realtime_connections'],
    ['operation', 'overloaded'],
    ['operation', 'password_queue_full'],
    ['operation', 'database_unavailable'],
  ] as const) {
    t.equal(await refused(app, stage, reason), 0, reason)
  }
})
