import fp from 'fastify-plugin'
import { BadRequest, InvalidText } from './errors/http-errors.ts'

/** Refuses what gets past Node's parser and the router, and no route could mean anything by. */
export default fp(
  async (app) => {
    // Node would answer an unknown `Expect` by a bare 417; RFC 9110 section 10.1.1 lets us ignore it.
    app.server.on('checkExpectation', (request, response) => app.routing(request, response))

    app.addHook('onRequest', ({ url, headers, raw }, _reply, done) => {
      if (url.includes('%00')) done(new InvalidText())
      // RFC 9112 section 3.2
      else if (headers.host === undefined && raw.httpVersion === '1.1') done(new BadRequest())
      else done()
    })
  },
  { name: 'malformed-requests', dependencies: ['errors', 'counted-requests'] },
)
