import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startOtlpReceiver } from '#test/support/otlp-receiver.ts'
import { startService } from '#test/support/process.ts'

/** The request header of Prometheus. */
const ACCEPT = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'
const BUCKET = /^http_request_duration_seconds_bucket\{.*operation="createUser".*\} \d+ # (.*)$/m
const EXEMPLAR = /^\{trace_id="([\da-f]{32})"\} (\d\.\d+) (\d+\.?\d*)$/

t.test('a bucket names a trace', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const db = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: db.url, APP_TRACING__SAMPLE_RATIO: '1' }
  const service = await startService(t, { ...env, APP_TRACING__ENDPOINT: receiver.url })
  const before = Date.now() / 1000
  await signUpRemote(service.url)
  const trace = await receiver.find(({ name }) => name === 'createUser')

  const open = await call(`${service.url}/metrics`, { headers: { accept: ACCEPT } })
  t.match(open.headers['content-type'], /^application\/openmetrics-text; version=1\.0\.0/)
  const [, traceId, value, at] = EXEMPLAR.exec(BUCKET.exec(open.text)?.[1] ?? '') ?? []
  t.equal(traceId, trace.traceId)
  t.ok(Number(value) > 0)
  t.ok(Number(at) >= Math.floor(before) && Number(at) <= Date.now() / 1000)
  t.match(open.text, /^# TYPE logins counter$/m)
  t.match(open.text, /^logins_total\{outcome="success"\} 1$/m)
  t.match(open.text, /\n# EOF\n$/)

  const plain = await call(`${service.url}/metrics`)
  t.match(plain.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  t.match(plain.text, /^# TYPE logins_total counter$/m, 'names are as before')
  t.notMatch(plain.text, 'trace_id')
})

t.test('a trace that nobody records is not named', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const db = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: db.url, APP_TRACING__SAMPLE_RATIO: '0' }
  const service = await startService(t, { ...env, APP_TRACING__ENDPOINT: receiver.url })
  await signUpRemote(service.url)
  const { text } = await call(`${service.url}/metrics`, { headers: { accept: ACCEPT } })
  t.match(text, /operation="createUser"/)
  t.notMatch(text, 'trace_id')
})

t.test('without traces the format is always the same', async (t) => {
  const db = await createTestDatabase(t)
  const service = await startService(t, { APP_DATABASE__URL: db.url })
  const { headers } = await call(`${service.url}/metrics`, { headers: { accept: ACCEPT } })
  t.match(headers['content-type'], /^text\/plain/)
})
