import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Span, TraceCarrier } from '#lib/tracing/tracing.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its span; undefined while traces are off, and for probes. */
    span: Span | undefined
  }
}

/** The attributes of a request whose method we don't know (OpenTelemetry's semantic conventions for HTTP). */
const OTHER_METHOD = '_OTHER'
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * A span for each request but probes, named by its operation. While traces are off there is not a hook.
 *
 * It is begun by the first hook that may wait for something; the context is entered again after the body was
 * read, because reading ends in the context in which the socket's data came.
 */
export default fp(
  async (app) => {
    app.decorateRequest('span', undefined)
    const { tracing } = app
    if (!tracing) return
    const { accept_context } = app.config.tracing

    app.step('span', (request, _reply, done) => {
      const { config, schema } = request.routeOptions
      if (config.probe) return done()
      const parent = accept_context ? carrierOf(request) : undefined
      const span = tracing.start({ name: schema?.operationId ?? 'other', kind: 'server', parent })
      request.span = span
      // Its own line is logged by a listener of its socket, outside of any context.
      tracing.follow(request.log, span.ids)
      span.run(done)
    })
    app.step('span context', (request, _reply, done) => {
      if (request.span && request.body !== undefined) request.span.run(done)
      else done()
    })
    app.onRequestEnd('span', ({ span, method, principal, routeOptions }, { operation, status }) => {
      if (!span) return
      span.rename(operation)
      span.set({
        'http.request.method': METHODS.has(method) ? method : OTHER_METHOD,
        'http.response.status_code': status,
        ...(routeOptions.url === undefined ? {} : { 'http.route': routeOptions.url }),
        ...(principal?.kind === 'api_key' ? { 'app.api_key.id': principal.key.id } : {}),
      })
      span.end()
    })
  },
  { name: 'request-span', dependencies: ['request-end'] },
)

/** The value of a single `traceparent`; several are invalid (W3C Trace Context section 4.3). */
function carrierOf({ headers: { traceparent, tracestate } }: FastifyRequest): TraceCarrier | undefined {
  if (typeof traceparent !== 'string') return undefined
  return { traceparent, ...(typeof tracestate === 'string' ? { tracestate } : {}) }
}
