import type { SpanAttributes, TraceCarrier } from '#lib/tracing/tracing.ts'

/** Where a job's data says which trace it belongs to. Handlers don't see it; older workers read past it. */
const TRACE = '_trace'

/** The data with the place in the trace that enqueues it. */
export function withTrace(data: object, carrier: TraceCarrier | undefined): object {
  return carrier === undefined ? data : { ...data, [TRACE]: carrier }
}

/** Takes the place out again; also while traces are off here, because they may be on where the job comes from. */
export function splitTrace<Data extends object>(
  data: Data,
): { data: Data; carrier: TraceCarrier | undefined } {
  if (!(TRACE in data)) return { data, carrier: undefined }
  const { [TRACE]: carrier, ...rest } = data
  // What is left of the data when what `withTrace` added is taken away is the data.
  return { data: rest as unknown as Data, carrier: isCarrier(carrier) ? carrier : undefined }
}

/** Attributes of a job's span (OpenTelemetry's semantic conventions for messaging). */
export function jobAttributes(queue: string): SpanAttributes {
  return { 'messaging.system': 'pg-boss', 'messaging.destination.name': queue }
}

function isCarrier(value: unknown): value is TraceCarrier {
  return typeof value === 'object' && value !== null && 'traceparent' in value
}
