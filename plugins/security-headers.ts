import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/**
 * Helmet's headers, with a policy for answers that are not meant to be shown by a browser at all; the docs
 * set their own. Nothing may be cached, unless a route says otherwise.
 */
export default fp(
  async (app) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    })
    app.addHook('onRequest', (_request, reply, done) => {
      reply.header('cache-control', 'no-store')
      done()
    })
  },
  { name: 'security-headers' },
)
