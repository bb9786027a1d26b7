import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** Browsers of these origins may call the API; without any, CORS is off. */
export default fp(
  async (app) => {
    const { allowed_origins } = app.config.cors
    if (allowed_origins.length === 0) return
    const options = {
      origin: allowed_origins,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: [
        'authorization',
        'content-type',
        'idempotency-key',
        'if-match',
        'if-none-match',
        'x-request-id',
      ],
      exposedHeaders: [
        'etag',
        'idempotency-replayed',
        'location',
        'retry-after',
        'www-authenticate',
        'x-request-id',
      ],
      maxAge: 600,
    }
    await app.register(cors, {
      // OPTIONS that is no preflight is for plugins/method-not-allowed.ts.
      delegator: ({ headers }, done) => {
        done(null, { ...options, preflight: headers['access-control-request-method'] !== undefined })
      },
    })
  },
  { name: 'cors', dependencies: ['metrics', 'request-id', 'request-log', 'security-headers'] },
)
