import type { Attributes, Link } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/**
 * Every attribute that leaves the process. Their values come from closed sets: no URL, no header, no address, no
 * text of a client or of an error. An instrumentation that knows more says it to nobody.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  'db.operation.name',
  'db.system.name',
  'error.fingerprint',
  'error.type',
  'exception.stacktrace',
  'exception.type',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'messaging.destination.name',
  'messaging.operation.type',
  'messaging.system',
  'app.api_key.id',
  'app.job.attempt',
  'app.job.id',
  'app.job.outcome',
])

/** A copy of a span with nothing but what may be known of it. */
export function onlyAllowed(span: ReadableSpan): ReadableSpan {
  const { name, kind, parentSpanContext, startTime, endTime, status, links, events } = span
  return {
    name,
    kind,
    ...(parentSpanContext ? { parentSpanContext } : {}),
    startTime,
    endTime,
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
    spanContext: () => span.spanContext(),
    status: { code: status.code },
    attributes: keep(span.attributes),
    links: links.map((link): Link => ({ context: link.context, attributes: keep(link.attributes ?? {}) })),
    events: events.map((event) => ({ ...event, attributes: keep(event.attributes ?? {}) })),
  }
}

function keep(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => ALLOWED.has(name)))
}
