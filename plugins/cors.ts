import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** What pages may read of answers, besides what CORS lets everybody read. */
const EXPOSED_HEADERS = [
  ...['etag', 'location', 'retry-after', 'www-authenticate', 'x-request-id'],
  ...['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
]

/** Browsers of these origins may call the API; without any, CORS is off. */
export default fp(
  async (app) => {
    const { allowed_origins } = app.config.cors
    if (allowed_origins.length === 0) return
    const options = {
      origin: allowed_origins,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'if-match', 'if-none-match', 'x-request-id'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    }
    await app.register(cors, {
      // OPTIONS that is no preflight is for plugins/method-not-allowed.ts.
      delegator: ({ headers }, done) => {
        done(null, { ...options, preflight: headers['access-control-request-method'] !== undefined })
      },
    })
  },
  { name: 'cors', dependencies: ['rate-limit', 'metrics', 'request-id', 'request-log', 'security-headers'] },
)
