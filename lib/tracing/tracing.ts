/** A span's role in its trace, as OpenTelemetry names it. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer'

/** The names that spans are known by, in logs. */
export interface TraceIds {
  /** 32 hex digits. */
  readonly trace_id: string
  /** 16 hex digits. */
  readonly span_id: string
}

/** A place in a trace as it travels: the headers of W3C Trace Context. */
export interface TraceCarrier {
  readonly traceparent?: string
  readonly tracestate?: string
}

/** Values from closed sets; what is not on the list of lib/tracing/allowed.ts is not sent. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** The traced part of an error. Not its message, which may quote data. */
export interface SpanError {
  readonly type: string
  readonly fingerprint?: string
  /** Our own code that it came from: `function@path`, innermost first. */
  readonly frames?: readonly string[]
}

/** A piece of work that takes time. */
export interface Span {
  readonly ids: TraceIds
  /** Whether its trace is sent, so that somebody may look at it. */
  readonly isSampled: boolean
  /** Runs `work` so that what it starts belongs to this span. */
  run<T>(work: () => T): T
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** Marks it as failed. */
  fail(error: SpanError): void
  end(): void
}

export interface SpanStart {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes?: SpanAttributes
  /** Where it belongs; without it a new trace begins. */
  readonly parent?: TraceCarrier | undefined
}

/**
 * Traces, while they are on. There is no instance while they are off, so code that may trace has an optional one,
 * and nothing of OpenTelemetry is loaded.
 */
export interface Tracing {
  /** Begins a span, which its caller ends. */
  start(start: SpanStart): Span
  /** Runs `work` in a span of its own below the current one; just runs it where none is recorded. */
  trace<T>(name: string, kind: SpanKind, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>
  /** The current place in the trace, to continue it elsewhere; undefined outside of traces. */
  carrier(): TraceCarrier | undefined
  /** Has the lines of a logger name these where nothing else is known, as in listeners of sockets. */
  follow(log: object, ids: TraceIds): void
  /** Fields that each line of the log gets (pino's mixin). */
  logFields(fields: object, level: number, log: object): Partial<TraceIds>
  /** How many spans were sent and how many lost so far. */
  readonly counts: Readonly<{ exported: number; lost: number }>
  /** Sends what waits, but takes no longer than `timeout` milliseconds, whatever the receiver does. */
  shutdown(timeout: number): Promise<void>
}
