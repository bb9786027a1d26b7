import fp from 'fastify-plugin'

/**
 * Counts every request against its client's limit before anything is done for it, but after CORS, so that the
 * pages of other origins can read that they were refused. Preflights have been counted before.
 */
export default fp(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      if (request.method === 'OPTIONS') done()
      else app.limitRate.call(app, request, reply, done)
    })
  },
  { name: 'counted-requests', dependencies: ['rate-limit', 'cors'] },
)
