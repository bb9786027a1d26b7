import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'

/**
 * Asks for the body of a request with `Expect: 100-continue` when something begins to read it, and so after its sender and
 * its length were checked. Node would ask at once, and the client send what is then refused.
 */
export default fp(
  async (app) => {
    app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      const keepsAlive = response.shouldKeepAlive
      // After an answer without it, the client may send the body or not, so nothing can follow (RFC 9110 section 10.1.1).
      response.shouldKeepAlive = false
      const { read } = request
      // Whatever reads a stream calls it; a body that came unasked is there all the same.
      request.read = (size) => {
        request.read = read
        if (!response.headersSent) {
          response.shouldKeepAlive = keepsAlive && app.keepsConnections()
          response.writeContinue()
        }
        return read.call(request, size)
      }
      app.server.emit('request', request, response)
    })
  },
  { name: 'continue', dependencies: ['draining'] },
)
