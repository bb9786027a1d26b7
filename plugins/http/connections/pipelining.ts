import fp from 'fastify-plugin'

/**
 * Works on the requests that a client sends ahead (RFC 9112 section 9.3.2) one after the other. Node parses all
 * that have come, and lets them begin at once: some kilobytes could ask for more answers than memory holds, and
 * what changes something would run beside what was asked before it.
 */
export default fp(
  async (app) => {
    app.step('pipelining', (_request, { raw }, done) => {
      // A response has the connection when those before it are sent.
      if (raw.socket === null) raw.once('socket', () => done())
      else done()
    })
  },
  { name: 'pipelining' },
)
