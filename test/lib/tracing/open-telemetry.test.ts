import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { startTracing } from '#lib/tracing/open-telemetry.ts'
import { listenOn, type ReceivedSpan, startOtlpReceiver } from '#test/support/otlp-receiver.ts'

/** Kinds and states as OTLP numbers them. */
const CLIENT = 3
const PRODUCER = 4
const ERROR = 2

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'

const OPTIONS = { headers: {}, service_name: 'groundwork', version: '1.2.3', environment: 'test' }

/** Traces that are sent to a receiver, until the test ends: they are the process's, and other tests share it. */
async function traced(t: Test, sample_ratio: number) {
  const receiver = await startOtlpReceiver(t)
  const tracing = startTracing({ ...OPTIONS, endpoint: receiver.url, sample_ratio })
  t.teardown(() => tracing.shutdown(0))
  /** The spans that the receiver has when everything was sent. */
  const sent = async () => {
    await tracing.shutdown(60_000)
    return new Map(receiver.spans.map((span) => [span.name, span]))
  }
  return { tracing, receiver, sent }
}

function parent(flags: '00' | '01') {
  return { traceparent: `00-${TRACE_ID}-${SPAN_ID}-${flags}` }
}

t.test('a trace is sent if its caller sends it, else by chance', async (t) => {
  const { tracing, sent } = await traced(t, 0)
  const start = (name: string, flags?: '00' | '01') => {
    const span = tracing.start({ name, kind: 'server', parent: flags && parent(flags) })
    span.end()
    return span
  }
  t.equal(start('chance').isSampled, false)
  t.equal(start('not the caller', '00').isSampled, false)
  const ours = start('the caller', '01')
  t.equal(ours.isSampled, true)
  t.equal(ours.ids.trace_id, TRACE_ID)
  const spans = await sent()
  t.strictSame([...spans.keys()], ['the caller'])
  t.match(spans.get('the caller'), { traceId: TRACE_ID, parentSpanId: SPAN_ID, spanId: ours.ids.span_id })
  t.match(spans.get('the caller')?.resource, {
    'service.name': 'groundwork',
    'service.version': '1.2.3',
    'deployment.environment.name': 'test',
    'service.instance.id': /^[0-9a-f-]{36}$/,
  })
})

t.test('work in a span belongs to it, wherever it goes on', async (t) => {
  const { tracing, sent } = await traced(t, 1)
  const outer = tracing.start({ name: 'first name', kind: 'server', attributes: { 'http.route': '/a' } })
  t.equal(outer.isSampled, true)
  t.strictSame(tracing.logFields({}, 30, {}), {}, 'outside of a trace')
  t.equal(tracing.carrier(), undefined)
  const later: { carrier?: ReturnType<typeof tracing.carrier> } = {}
  const result = await outer.run(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(tracing.logFields({}, 30, {}), outer.ids)
    return tracing.trace('inner', 'producer', { 'app.job.id': '1' }, async () => {
      later.carrier = tracing.carrier()
      return 7
    })
  })
  t.equal(result, 7)
  outer.rename('second name')
  outer.set({ 'http.response.status_code': 200, 'not.allowed': 'x' })
  outer.end()
  tracing.start({ name: 'continued', kind: 'consumer', parent: later.carrier }).end()

  const log = {}
  tracing.follow(log, outer.ids)
  t.strictSame(tracing.logFields({}, 30, log), outer.ids, 'the logger of a request')

  const spans = await sent()
  const inner = spans.get('inner')
  t.strictSame(spans.get('second name')?.attributes, { 'http.route': '/a', 'http.response.status_code': 200 })
  t.match(inner, { kind: PRODUCER, parentSpanId: outer.ids.span_id, attributes: { 'app.job.id': '1' } })
  t.match(spans.get('continued'), { traceId: outer.ids.trace_id, parentSpanId: inner?.spanId })
  t.equal(tracing.counts.exported, 3)
})

t.test('what fails is marked, without its words', async (t) => {
  const { tracing, sent } = await traced(t, 1)
  const outer = tracing.start({ name: 'outer', kind: 'server' })
  class Strange extends Error {}
  const failures: Record<string, unknown> = {
    coded: Object.assign(new Error('secret'), { code: 'ECONNRESET' }),
    named: new Strange('secret'),
    thrown: 'secret',
  }
  for (const [name, error] of Object.entries(failures)) {
    const failing = () => tracing.trace(name, 'client', {}, () => Promise.reject(error))
    await outer.run(failing).then(t.fail, (thrown: unknown) => t.equal(thrown, error))
  }
  outer.fail({ type: 'Strange', fingerprint: '0123456789abcdef', frames: ['f@a.ts', 'g@b.ts'] })
  outer.end()
  const spans = await sent()
  const typeOf = (name: string) => spans.get(name)?.attributes['error.type']
  t.strictSame(Object.keys(failures).map(typeOf), ['ECONNRESET', 'Strange', 'string'])
  t.match(spans.get('named'), { kind: CLIENT, status: { code: ERROR }, events: [] })
  t.match(spans.get('outer'), {
    status: { code: ERROR },
    attributes: { 'error.type': 'Strange', 'error.fingerprint': '0123456789abcdef' },
    events: [{ attributes: { 'exception.type': 'Strange', 'exception.stacktrace': 'at f@a.ts\nat g@b.ts' } }],
  })
})

t.test('without a recorded trace there is no span, of our own requests to others neither', async (t) => {
  const headers: unknown[] = []
  const other = createServer((request, response) => {
    headers.push(request.headers['traceparent'])
    response.end()
  })
  const url = await listenOn(t, other)
  const { tracing, sent } = await traced(t, 1)
  t.equal(await tracing.trace('alone', 'client', {}, async () => 1), 1)
  const ignored = tracing.start({ name: 'ignored', kind: 'server', parent: parent('00') })
  t.equal(await ignored.run(() => tracing.trace('below', 'client', {}, async () => 2)), 2)
  await (await fetch(url)).text()
  const outer = tracing.start({ name: 'outer', kind: 'server' })
  await outer.run(async () => (await fetch(url)).text())
  outer.end()
  const spans = [...(await sent()).values()]
  const calls = spans.filter(({ kind }: ReceivedSpan) => kind === CLIENT)
  t.match(calls, [{ traceId: outer.ids.trace_id, parentSpanId: outer.ids.span_id }])
  t.equal(spans.length, 2)
  t.equal(headers[0], undefined)
  t.match(headers[1], new RegExp(`^00-${outer.ids.trace_id}-${calls[0]?.spanId}-01$`))
})

t.test('the end waits no longer than it is told for a receiver that hangs', async (t) => {
  const receiver = await startOtlpReceiver(t, { hangs: true })
  const tracing = startTracing({ ...OPTIONS, endpoint: `${receiver.url}/v1/traces`, sample_ratio: 1 })
  tracing.start({ name: 'lost', kind: 'server' }).end()
  await tracing.shutdown(1)
  t.equal(tracing.counts.exported, 0)
  const after = tracing.start({ name: 'after', kind: 'server' })
  t.strictSame(
    after.run(() => tracing.logFields({}, 30, {})),
    {},
    'nothing of it is left',
  )
  t.equal(
    after.run(() => tracing.carrier()),
    undefined,
  )
})
