import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { loggerOptions } from '#lib/log/logger.ts'
import { startTracing } from '#lib/tracing/start.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { signUp, testConfig } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { type ReceivedSpan, startOtlpReceiver } from '#test/support/otlp-receiver.ts'

/** As OTLP numbers it. */
const SERVER = 2

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

async function traced(t: Test, env: Record<string, string> = {}) {
  const receiver = await startOtlpReceiver(t)
  const db = await createTestDatabase(t)
  const config = testConfig(db.url, {
    APP_ROLE: 'web',
    APP_TRACING__ENDPOINT: receiver.url,
    APP_TRACING__SAMPLE_RATIO: '1',
    ...env,
  })
  const tracing = await startTracing({ ...config, version: '0', headers: {} })
  if (tracing === undefined) throw new Error('there is an endpoint')
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const app = await buildApp(config, {
    tracing,
    logger: { ...loggerOptions(config.log), level: 'info', stream },
  })
  t.teardown(async () => {
    await tracing.shutdown(0)
    await app.close()
  })
  /** The spans of requests, when all is sent. */
  const sent = async (): Promise<ReceivedSpan[]> => {
    await tracing.shutdown(60_000)
    return receiver.spans.filter(({ kind }) => kind === SERVER)
  }
  return { app, sent, spans: receiver.spans, logs: () => lines.map((line) => JSON.parse(line)) }
}

t.test('a request is a span by the name of its operation, below that of its caller', async (t) => {
  const { app, sent, logs } = await traced(t)
  await app.inject({ url: '/api/v1/users/me', headers: { traceparent: TRACEPARENT } })
  await app.inject({ url: '/nothing', method: 'PUT', payload: {} })
  await app.inject('/live')
  const plain = await app.inject('/metrics')
  t.match(plain.headers['content-type'], /^text\/plain; version=0\.0\.4;/)
  const accept = 'application/openmetrics-text; version=1.0.0'
  const { headers, body } = await app.inject({ url: '/metrics', headers: { accept } })
  t.match(headers['content-type'], /^application\/openmetrics-text;/)
  t.match(body, /\n# EOF\n$/)
  const [known, unknown, ...others] = await sent()
  t.match(known, {
    name: 'getCurrentUser',
    traceId: TRACE_ID,
    parentSpanId: SPAN_ID,
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': 401,
      'http.route': '/api/v1/users/me',
    },
  })
  t.match(unknown, {
    name: 'unknown',
    attributes: { 'http.request.method': 'PUT', 'http.response.status_code': 404 },
  })
  t.notOk(unknown?.parentSpanId)
  t.notOk(unknown && 'http.route' in unknown.attributes)
  t.strictSame(others, [], 'a probe has none')
  t.match(await app.metrics.getSingleMetricAsString('trace_spans_total'), /outcome="exported"\} [1-9]/)
  const line = logs().find(({ operation }) => operation === 'getCurrentUser')
  t.match(line, { trace_id: TRACE_ID, span_id: known?.spanId })
})

t.test('what runs after the body was read belongs to the span too', async (t) => {
  const { app, sent, spans: all } = await traced(t)
  const user = await signUp(app)
  const { organization, ...team } = await createOrganization(app, user)
  const key = await team.createApiKey({})
  const projects = `/api/v1/organizations/${organization.id}/projects`
  const payload = { name: 'Bridge' }
  const created = await app.inject({ method: 'POST', url: projects, headers: key.headers, payload })
  t.equal(created.statusCode, 201)
  const spans = await sent()
  const span = spans.find(({ name }) => name === 'createProject')
  t.match(span?.attributes, { 'app.api_key.id': String })
  const statements = all.filter(({ name }) => name.startsWith('insertProject'))
  t.strictSame(
    statements.map(({ traceId }) => traceId),
    [span?.traceId],
  )
  t.equal(spans.filter(({ attributes }) => 'app.api_key.id' in attributes).length, 1)
})

t.test('a context that is not accepted, or is not one, begins a new trace', async (t) => {
  const { app, sent } = await traced(t, { APP_TRACING__ACCEPT_CONTEXT: 'false' })
  await app.inject({ url: '/api/v1/users/me', headers: { traceparent: TRACEPARENT } })
  const [span] = await sent()
  t.not(span?.traceId, TRACE_ID)
  t.notOk(span?.parentSpanId)

  const lenient = await traced(t)
  await lenient.app.inject({ url: '/api/v1/users/me', headers: { traceparent: [TRACEPARENT, TRACEPARENT] } })
  await lenient.app.inject({ url: '/api/v1/users/me', headers: { traceparent: 'x' } })
  const spans = await lenient.sent()
  t.strictSame(
    spans.map(({ parentSpanId = '' }) => parentSpanId),
    ['', ''],
  )
})
