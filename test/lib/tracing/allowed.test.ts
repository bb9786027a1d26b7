import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { onlyAllowed } from '#lib/tracing/allowed.ts'
import { GuardedExporter } from '#lib/tracing/exporter.ts'
import { tracesUrl } from '#lib/tracing/traces-url.ts'

const context = (spanId: string) => ({ traceId: '1'.repeat(32), spanId, traceFlags: TraceFlags.SAMPLED })
const start: HrTime = [1, 2]
const end: HrTime = [3, 4]

const ALLOWED = {
  'db.operation.name': 'selectUser',
  'db.system.name': 'postgresql',
  'error.fingerprint': '0123456789abcdef',
  'error.type': 'Error',
  'exception.stacktrace': 'at x',
  'exception.type': 'Error',
  'http.request.method': 'GET',
  'http.response.status_code': 200,
  'http.route': '/a/:id',
  'messaging.destination.name': 'send_mail',
  'messaging.operation.type': 'process',
  'messaging.system': 'pg-boss',
  'app.api_key.id': '1',
  'app.job.attempt': 1,
  'app.job.id': '2',
  'app.job.outcome': 'done',
}
const SECRETS = { 'url.full': 'https://example.com/?token=x', 'db.query.text': 'SELECT', 'http.route.x': '/' }

const SPAN: ReadableSpan = {
  name: 'GET /a/:id',
  kind: SpanKind.SERVER,
  parentSpanContext: context('a'.repeat(16)),
  startTime: start,
  endTime: end,
  duration: [2, 2],
  ended: true,
  resource: resourceFromAttributes({ 'service.name': 'groundwork' }),
  instrumentationScope: { name: 'groundwork' },
  droppedAttributesCount: 5,
  droppedEventsCount: 6,
  droppedLinksCount: 7,
  spanContext: () => context('b'.repeat(16)),
  status: { code: SpanStatusCode.ERROR, message: 'may quote anything' },
  attributes: { ...ALLOWED, ...SECRETS },
  links: [
    { context: context('c'.repeat(16)), attributes: { ...SECRETS, 'app.job.id': '2' } },
    { context: context('d'.repeat(16)) },
  ],
  events: [
    { name: 'exception', time: end, attributes: { ...SECRETS, 'exception.type': 'Error' } },
    { name: 'plain', time: end },
  ],
}

t.test('a span leaves the process with what may be known of it, and nothing else', async (t) => {
  const { spanContext, ...sent } = onlyAllowed(SPAN)
  const { spanContext: ownContext, ...own } = SPAN
  t.strictSame(spanContext(), ownContext())
  t.strictSame(sent, {
    ...own,
    status: { code: SpanStatusCode.ERROR },
    attributes: ALLOWED,
    links: [
      { context: context('c'.repeat(16)), attributes: { 'app.job.id': '2' } },
      { context: context('d'.repeat(16)), attributes: {} },
    ],
    events: [
      { name: 'exception', time: end, attributes: { 'exception.type': 'Error' } },
      { name: 'plain', time: end, attributes: {} },
    ],
  })
  const { parentSpanContext, ...root } = SPAN
  t.ok(parentSpanContext)
  t.notOk(Object.hasOwn(onlyAllowed(root), 'parentSpanContext'))
})

t.test('what is exported and what is lost is counted, and the receiver is told the end', async (t) => {
  const exported: ReadableSpan[][] = []
  let code = ExportResultCode.SUCCESS
  let ends = 0
  const exporter = new GuardedExporter({
    export(spans, done) {
      exported.push(spans)
      done({ code })
    },
    async shutdown() {
      ends++
    },
  })
  const results: ExportResult[] = []
  exporter.export([SPAN, SPAN], (result) => results.push(result))
  t.strictSame(exporter.counts, { exported: 2, lost: 0 })
  code = ExportResultCode.FAILED
  exporter.export([SPAN], (result) => results.push(result))
  t.strictSame(exporter.counts, { exported: 2, lost: 1 })
  t.strictSame(results, [{ code: ExportResultCode.SUCCESS }, { code: ExportResultCode.FAILED }])
  t.strictSame(
    exported.map((spans) => spans.map(({ attributes }) => attributes)),
    [[ALLOWED, ALLOWED], [ALLOWED]],
  )
  await exporter.shutdown()
  t.equal(ends, 1)
})

t.test('an endpoint may be a base or the whole of the URL', async (t) => {
  t.equal(tracesUrl('http://collector:4318'), 'http://collector:4318/v1/traces')
  t.equal(tracesUrl('http://collector:4318/v1/traces'), 'http://collector:4318/v1/traces')
})
