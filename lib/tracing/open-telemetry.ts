import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Context,
  context,
  type Span as OtelSpan,
  SpanKind as OtelSpanKind,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Config } from '#config/schema/schema.ts'
import { GuardedExporter } from './exporter.ts'
import { tracesUrl } from './traces-url.ts'
import type {
  Span,
  SpanAttributes,
  SpanError,
  SpanKind,
  SpanStart,
  TraceCarrier,
  TraceIds,
  Tracing,
} from './tracing.ts'

/** Spans that wait for a receiver; those beyond are lost. */
const MAX_QUEUED_SPANS = 2048
const MAX_BATCH_SPANS = 512
/** Milliseconds that spans are gathered for. */
const GATHER_TIME_MS = 1000
/** Milliseconds that the receiver has to take a batch. */
const EXPORT_TIMEOUT_MS = 5000

const KINDS: Readonly<Record<SpanKind, OtelSpanKind>> = {
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
  producer: OtelSpanKind.PRODUCER,
  consumer: OtelSpanKind.CONSUMER,
}

/** On a logger; a WeakMap of every request's would keep the garbage collector busy. */
const FOLLOWED = Symbol('trace ids')

interface Followed {
  [FOLLOWED]?: TraceIds
}

/** Its own agents would not know the proxies (lib/network/proxies.ts). */
function globalAgent(protocol: string): http.Agent {
  return protocol === 'https:' ? https.globalAgent : http.globalAgent
}

interface Options extends Pick<Config['tracing'], 'sample_ratio' | 'service_name'> {
  readonly endpoint: string
  /** Go with each request. */
  readonly headers: Record<string, string>
  readonly version: string
  readonly environment: string
}

/**
 * Starts tracing for this process; once until `shutdown`, for OpenTelemetry's context and propagation are global.
 * Loading this file loads OpenTelemetry, so it is imported by `import()` alone.
 */
export function startTracing({
  endpoint,
  headers,
  sample_ratio,
  service_name,
  version,
  environment,
}: Options): Tracing {
  const exporter = new GuardedExporter(
    // All is said here, or variables of OpenTelemetry would say it.
    new OTLPTraceExporter({
      url: tracesUrl(endpoint),
      headers,
      timeoutMillis: EXPORT_TIMEOUT_MS,
      httpAgentOptions: globalAgent,
    }),
  )
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample_ratio) }),
    resource: resourceFromAttributes({
      'service.name': service_name,
      'service.version': version,
      'service.instance.id': randomUUID(),
      'deployment.environment.name': environment,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: MAX_QUEUED_SPANS,
        maxExportBatchSize: MAX_BATCH_SPANS,
        scheduledDelayMillis: GATHER_TIME_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  })
  // A receiver that is away is counted; nobody need be told at each batch.
  setGlobalErrorHandler(() => undefined)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  // Of `fetch`, by diagnostics channels: nothing is patched, so modules may be loaded in any order.
  const outgoing = new UndiciInstrumentation({ requireParentforSpans: true })
  outgoing.setTracerProvider(provider)
  return new OpenTelemetry(provider, exporter, outgoing)
}

class OpenTelemetry implements Tracing {
  readonly counts: GuardedExporter['counts']
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  readonly #outgoing: UndiciInstrumentation

  constructor(provider: TracerProvider, { counts }: GuardedExporter, outgoing: UndiciInstrumentation) {
    this.#provider = provider
    this.#outgoing = outgoing
    this.#tracer = provider.getTracer('groundwork')
    this.counts = counts
  }

  start({ name, kind, attributes = {}, parent }: SpanStart): Span {
    const outer = parent ? propagation.extract(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes }, outer)
    return new RunningSpan(span, trace.setSpan(outer, span))
  }

  async trace<T>(
    name: string,
    kind: SpanKind,
    attributes: SpanAttributes,
    work: () => Promise<T>,
  ): Promise<T> {
    const outer = context.active()
    if (trace.getSpan(outer)?.isRecording() !== true) return work()
    const otelSpan = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes }, outer)
    const span = new RunningSpan(otelSpan, trace.setSpan(outer, otelSpan))
    try {
      return await span.run(work)
    } catch (error) {
      span.fail({ type: typeOf(error) })
      throw error
    } finally {
      span.end()
    }
  }

  carrier(): TraceCarrier | undefined {
    const carrier: Record<string, string> = {}
    propagation.inject(context.active(), carrier)
    return carrier['traceparent'] === undefined ? undefined : carrier
  }

  follow(log: Followed, ids: TraceIds): void {
    log[FOLLOWED] = ids
  }

  logFields(_fields: object, _level: number, log: Followed): Partial<TraceIds> {
    const span = trace.getSpan(context.active())
    return span ? idsOf(span) : (log[FOLLOWED] ?? {})
  }

  async shutdown(timeout: number): Promise<void> {
    const flushed = this.#provider.shutdown().catch(() => undefined)
    await Promise.race([flushed, sleep(timeout, undefined, { ref: false })])
    this.#outgoing.disable()
    propagation.disable()
    context.disable()
  }
}

class RunningSpan implements Span {
  readonly ids: TraceIds
  readonly isSampled: boolean
  readonly #span: OtelSpan
  readonly #context: Context

  constructor(span: OtelSpan, inner: Context) {
    this.#span = span
    this.#context = inner
    this.ids = idsOf(span)
    this.isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  rename(name: string): void {
    this.#span.updateName(name)
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes)
  }

  fail({ type, fingerprint, frames }: SpanError): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR })
    this.#span.setAttribute('error.type', type)
    if (fingerprint === undefined) return
    this.#span.setAttribute('error.fingerprint', fingerprint)
    const stack = frames?.map((frame) => `at ${frame}`).join('\n') ?? ''
    this.#span.addEvent('exception', { 'exception.type': type, 'exception.stacktrace': stack })
  }

  end(): void {
    this.#span.end()
  }
}

function idsOf(span: OtelSpan): TraceIds {
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.constructor.name || error.name
}
