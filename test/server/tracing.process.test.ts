import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration, signUpRemote } from '#test/support/http.ts'
import { listenOn, type ReceivedSpan, startOtlpReceiver } from '#test/support/otlp-receiver.ts'
import { startService } from '#test/support/process.ts'

const SERVER = 2
const CONSUMER = 5
const ERROR = 2

async function withTraces(t: Test, endpoint: string, env: Record<string, string> = {}) {
  const db = await createTestDatabase(t)
  const traced = { APP_TRACING__ENDPOINT: endpoint, APP_TRACING__SAMPLE_RATIO: '1' }
  return { db, ...(await startService(t, { APP_DATABASE__URL: db.url, ...traced, ...env })) }
}

/** A caller's own trace. */
function ownTrace(flags = '01') {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}` } }
}

t.test("a registration, its statements, its job and its mail are one trace, the caller's", async (t) => {
  const receiver = await startOtlpReceiver(t)
  const service = await withTraces(t, receiver.url, {
    APP_AUTH__REGISTRATION: 'verify',
    APP_TRACING__SERVICE_NAME: 'groundwork-eu',
  })
  const { traceId, spanId, headers } = ownTrace()
  const answer = await call(`${service.url}/api/v1/users`, { method: 'POST', json: registration(), headers })
  t.equal(answer.status, 202)

  const named = (name: string) => receiver.find((span) => span.traceId === traceId && span.name === name)
  const request = await named('createUser')
  t.match(request, {
    kind: SERVER,
    parentSpanId: spanId,
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 202,
      'http.route': '/api/v1/users',
    },
    resource: { 'service.name': 'groundwork-eu', 'deployment.environment.name': 'test' },
  })
  const mail = await named('send mail')
  const job = await named('send_mail')
  t.match(job, { kind: CONSUMER, attributes: { 'app.job.outcome': 'completed' } })
  const above = ({ parentSpanId = '' }: ReceivedSpan) => receiver.find((span) => span.spanId === parentSpanId)
  const way = [mail]
  for (let span = mail; span.spanId !== request.spanId; way.push(span)) span = await above(span)
  t.match(
    way.map(({ name }) => name),
    [
      'send mail',
      'send_mail',
      'enqueue send_mail',
      'registration_mail',
      'enqueue registration_mail',
      'createUser',
    ],
  )
  const statement = await named('enqueueJob')
  t.match(statement.attributes, { 'db.system.name': 'postgresql', 'db.operation.name': 'enqueueJob' })

  const line = (msg: string) => service.logs().find((record) => record['msg'] === msg)
  await eventually(async () => line('mail sent') !== undefined)
  t.match(line('mail sent'), { trace_id: traceId, span_id: job.spanId, module: 'mail' })
  t.match(line('request completed'), { trace_id: traceId, span_id: request.spanId, operation: 'createUser' })
})

t.test('a service that traces', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const service = await withTraces(t, receiver.url)

  await t.test('what comes after the body was read is in the trace too', async (t) => {
    const { traceId, headers } = ownTrace()
    const json = { ...registration(), username: 'x'.repeat(30) }
    await call(`${service.url}/api/v1/users`, { method: 'POST', json, headers })
    const request = await receiver.find((span) => span.traceId === traceId && span.name === 'createUser')
    const insert = await receiver.find((span) => span.traceId === traceId && span.name === 'insertUser:event')
    t.ok(insert.parentSpanId)
    t.equal(insert.traceId, request.traceId)
  })

  await t.test('an error is on its span, with its fingerprint', async (t) => {
    const user = await signUpRemote(service.url)
    await service.db.query(`
      CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken: %', NEW.email; END $$`)
    await service.db.query(
      'CREATE TRIGGER broken BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION break()',
    )
    const json = { username: 'changed' }
    const answer = await call(`${service.url}/api/v1/users/me`, { method: 'PATCH', token: user.token, json })
    t.equal(answer.status, 500)
    const span = await receiver.find(
      ({ name, status }) => name === 'updateCurrentUser' && status.code === ERROR,
    )
    t.match(span, {
      attributes: { 'error.fingerprint': /^[0-9a-f]{16}$/, 'error.type': 'DatabaseError' },
      events: [{ name: 'exception', attributes: { 'exception.stacktrace': /services\/users\/queries/ } }],
    })
    t.notOk(span.status.message)
    const { text: metrics } = await call(`${service.url}/metrics`)
    t.match(metrics, `errors_total{fingerprint="${span.attributes['error.fingerprint']}"`)
  })

  await t.test('malformed contexts are as none', async (t) => {
    const forged = ['', 'x', '00-0-0-01', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, '\u00ff'.repeat(5000)]
    for (const traceparent of forged) {
      const headers = { traceparent, tracestate: '=,=,,' }
      t.equal((await call(`${service.url}/api/v1/users/me`, { headers })).status, 401)
    }
    service.child.kill('SIGTERM')
    await service.exited
    const requests = receiver.spans.filter(({ name }) => name === 'getCurrentUser')
    t.equal(requests.length, forged.length)
    t.equal(new Set(requests.map(({ traceId }) => traceId)).size, forged.length)
  })
})

t.test('unsampled traces are not sent, and a refused context starts a new trace', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const service = await withTraces(t, receiver.url, { APP_TRACING__ACCEPT_CONTEXT: 'false' })
  const own = ownTrace()
  await call(`${service.url}/api/v1/users/me`, { headers: own.headers })
  const span = await receiver.find(({ name }) => name === 'getCurrentUser')
  t.not(span.traceId, own.traceId)
  t.notOk(span.parentSpanId)

  const other = await withTraces(t, receiver.url, { APP_TRACING__SAMPLE_RATIO: '0' })
  await call(`${other.url}/api/v1/users/me`, { headers: ownTrace('00').headers })
  await call(`${other.url}/api/v1/users/me`)
  const taken = ownTrace()
  await call(`${other.url}/api/v1/users/me`, { headers: taken.headers })
  await call(`${other.url}/live`, { headers: ownTrace().headers })
  other.child.kill('SIGTERM')
  t.match(await other.exited, { code: 0 })
  const instance = (await receiver.find(({ traceId }) => traceId === taken.traceId)).resource[
    'service.instance.id'
  ]
  const sent = receiver.spans.filter(({ resource }) => resource['service.instance.id'] === instance)
  t.strictSame([...new Set(sent.map(({ traceId }) => traceId))], [taken.traceId])
})

t.test('nothing of what requests hold is sent', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const told: string[] = []
  const breaches = createServer((request, response) => {
    told.push(String(request.headers['traceparent']))
    response.end('')
  })
  const range = await listenOn(t, breaches)
  const service = await withTraces(t, receiver.url, { APP_AUTH__BREACH_CHECK__URL: `${range}/range` })
  const marker = `marker${randomBytes(6).toString('hex')}`
  const password = `${randomBytes(6).toString('hex')} long enough`
  const json = { email: `${marker}@example.com`, username: marker, password }
  const trace = ownTrace()
  const headers = {
    ...trace.headers,
    'user-agent': marker,
    'x-request-id': marker,
    'x-forwarded-for': '203.0.113.77',
    cookie: `a=${marker}`,
    baggage: `a=${marker}`,
  }
  const post = (path: string, body: unknown) =>
    call(`${service.url}${path}`, { method: 'POST', json: body, headers })
  t.equal((await post('/api/v1/users', json)).status, 201)
  t.match(
    told[0],
    new RegExp(`^00-${trace.traceId}-[0-9a-f]{16}-01$`),
    'the breach check is told of the trace',
  )
  const signedIn = await post('/api/v1/auth/login', { email: json.email, password: json.password })
  const token = JSON.parse(signedIn.text).access_token
  await post('/api/v1/auth/login', { email: json.email, password: `${marker} wrong` })
  await post(`/api/v1/${marker}?a=${marker}`, {})
  await call(`${service.url}/api/v1/users/me?a=${marker}`, { headers, token })
  await call(`${service.url}/api/v1/users/${marker}`, {
    headers,
    token,
    method: 'PATCH',
    json: { [marker]: 1 },
  })
  await post('/api/v1/auth/password/forgot', { email: json.email })
  await receiver.find(({ name }) => name === 'send_mail')
  service.child.kill('SIGTERM')
  await service.exited
  t.ok(
    receiver.spans.some(({ name }) => name === 'GET'),
    'the breach check is traced',
  )
  const sent = receiver.bodies.join('\n')
  for (const secret of [
    marker,
    password,
    token.split('.')[2],
    '127.0.0.1',
    '203.0.113.77',
    '$argon2',
    'SELECT ',
    '/range',
  ]) {
    t.notMatch(sent, secret)
  }
})

for (const [what, options] of Object.entries({
  hangs: { hangs: true },
  fails: { status: 500 },
})) {
  t.test(`a receiver that ${what} costs requests nothing and does not hold up the end`, async (t) => {
    const receiver = await startOtlpReceiver(t, options)
    const service = await withTraces(t, receiver.url)
    for (let sent = 0; sent < 50; sent++) await call(`${service.url}/api/v1/users/me`)
    await eventually(async () => receiver.connections() > 0)
    t.equal((await call(`${service.url}/live`)).status, 200)
    service.child.kill('SIGTERM')
    t.match(await service.exited, { code: 0 })
  })
}

t.test('a receiver that is not there is counted', async (t) => {
  const service = await withTraces(t, 'http://127.0.0.1:9')
  await call(`${service.url}/api/v1/users/me`)
  await eventually(async () =>
    /^trace_spans_total\{outcome="lost"\} [1-9]/m.test((await call(`${service.url}/metrics`)).text),
  )
  service.child.kill('SIGTERM')
  t.match(await service.exited, { code: 0 })
})

t.test('each worker sends its own', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const service = await withTraces(t, receiver.url, { APP_SERVER__WORKERS: '2' })
  const instances = () => new Set(receiver.spans.map(({ resource }) => resource['service.instance.id']))
  await eventually(async () => {
    await call(`${service.url}/api/v1/users/me`)
    return instances().size === 2
  })
  t.equal(instances().size, 2)
})

t.test('off, nothing of it is loaded and no hook is there', async (t) => {
  const db = await createTestDatabase(t)
  const script = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      // prom-client loads the interface by itself.
      if (/^@opentelemetry\\/(?!api$)/.test(specifier)) process.stderr.write('LOADED ' + specifier + '\\n')
      return next(specifier, context)
    } })`
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(script)}`]
  const receiver = await startOtlpReceiver(t)
  const off = await startService(t, { APP_DATABASE__URL: db.url }, { nodeArgs })
  await signUpRemote(off.url)
  t.notMatch(off.stderr(), 'LOADED')
  t.notOk(off.logs().some((line) => 'trace_id' in line))
  const on = await startService(
    t,
    { APP_DATABASE__URL: db.url, APP_TRACING__ENDPOINT: receiver.url },
    { nodeArgs },
  )
  t.match(on.stderr(), 'LOADED @opentelemetry/sdk-trace', 'the test would notice')
})
