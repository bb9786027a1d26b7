import fp from 'fastify-plugin'

/** Every response names its request (app.ts makes the ids). */
export default fp(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'request-id' },
)
