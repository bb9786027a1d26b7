import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'

/** A span as OTLP's JSON has it, as far as the tests look. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  status: { code?: number; message?: string }
  /** Attributes of the process that sent it. */
  resource: Record<string, unknown>
}

interface KeyValue {
  key: string
  value: Record<string, unknown>
}

interface SentSpan extends Omit<ReceivedSpan, 'attributes' | 'events' | 'resource'> {
  attributes: KeyValue[]
  events?: { name: string; attributes?: KeyValue[] }[]
}

interface Message {
  resourceSpans: { resource: { attributes: KeyValue[] }; scopeSpans: { spans: SentSpan[] }[] }[]
}

export interface OtlpReceiver {
  /** For `tracing.endpoint`. */
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** Whatever came, as it came. */
  readonly bodies: string[]
  /** How many connections it has taken. */
  connections(): number
  /** Waits for a span. */
  find(wanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>
}

/** Receives spans by OTLP over HTTP, as JSON. */
export async function startOtlpReceiver(
  t: Test,
  { hangs = false, status = 200 }: { hangs?: boolean; status?: number } = {},
): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const bodies: string[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const body = await text(request)
    if (request.url !== '/v1/traces' || hangs) return
    bodies.push(body)
    spans.push(...spansOf(JSON.parse(body)))
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  server.on('connection', () => connections++)
  const url = await listenOn(t, server)
  return {
    url,
    spans,
    bodies,
    connections: () => connections,
    async find(wanted) {
      await eventually(async () => spans.some(wanted))
      const [span] = spans.filter(wanted)
      if (!span) throw new Error('unreachable')
      return span
    },
  }
}

/** Has a server listen on a free port of 127.0.0.1 until the test ends. */
export async function listenOn(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

function spansOf({ resourceSpans }: Message): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        attributes: record(span.attributes),
        events: (span.events ?? []).map(({ name, attributes }) => ({ name, attributes: record(attributes) })),
        resource: record(resource.attributes),
      })),
    ),
  )
}

function record(attributes: KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
