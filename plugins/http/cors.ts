import cors from '@fastify/cors'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Headers that let a page of this origin read an answer that is sent before any hook runs. */
    readableBy(origin: string | undefined): Record<string, string>
  }
}

/** Headers that pages may send: ours, and those that browsers' libraries add to every request of a page. */
const ALLOWED_HEADERS = [
  ...['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'x-request-id'],
  // Said by fetch's `cache` option, by frameworks, and by readers of event streams.
  ...['accept', 'accept-language', 'cache-control', 'if-modified-since', 'last-event-id', 'pragma', 'range'],
  ...['if-range', 'if-unmodified-since', 'x-csrf-token', 'x-requested-with', 'x-xsrf-token'],
  // Uploads, by tus and the draft of the IETF.
  ...['tus-resumable', 'upload-checksum', 'upload-complete', 'upload-defer-length'],
  ...['upload-draft-interop-version', 'upload-length', 'upload-metadata', 'upload-offset'],
  // Traces: W3C, Sentry, Datadog, Zipkin, Jaeger, New Relic, Elastic, Application Insights, AWS, Google.
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
  ...['x-datadog-origin', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-tags'],
  ...['x-datadog-trace-id', 'b3', 'x-b3-flags', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-spanid'],
  ...[
    'x-b3-traceid',
    'uber-trace-id',
    'newrelic',
    'elastic-apm-traceparent',
    'request-context',
    'request-id',
  ],
  ...['x-amzn-trace-id', 'x-cloud-trace-context', 'x-correlation-id'],
]

/** Response headers that pages may read, besides those that CORS lets everybody read. */
const EXPOSED_HEADERS = [
  ...['allow', 'date', 'etag', 'idempotency-replayed', 'location', 'retry-after', 'www-authenticate'],
  ...['accept-ranges', 'content-disposition', 'content-range'],
  ...['tus-checksum-algorithm', 'tus-extension', 'tus-max-size', 'tus-resumable', 'tus-version'],
  ...['upload-complete', 'upload-defer-length', 'upload-expires', 'upload-length', 'upload-limit'],
  ...['upload-metadata', 'upload-offset'],
  ...['x-request-id', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
]

/** Browsers of these origins may call the API; without any, CORS is off. */
export default fp(
  async (app) => {
    const { allowed_origins, allowed_headers } = app.config.cors
    const everyone = allowed_origins.includes('*')
    app.decorate('readableBy', (origin) => {
      if (origin === undefined || !(everyone || allowed_origins.includes(origin))) return {}
      return {
        'access-control-allow-origin': everyone ? '*' : origin,
        'access-control-expose-headers': EXPOSED_HEADERS.join(', '),
        vary: 'Origin',
      }
    })
    if (allowed_origins.length === 0) return
    const options = {
      origin: allowed_origins,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: [
        ...new Set([...ALLOWED_HEADERS, ...allowed_headers.map((name) => name.toLowerCase())]),
      ],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    }
    await app.stepOf('cors', () =>
      app.register(cors, {
        // plugins/http/method-not-allowed.ts handles OPTIONS outside a preflight.
        delegator: ({ headers }, done) => {
          done(null, { ...options, preflight: headers['access-control-request-method'] !== undefined })
        },
      }),
    )
  },
  { name: 'cors' },
)
