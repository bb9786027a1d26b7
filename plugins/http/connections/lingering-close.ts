import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

/** Milliseconds for which the rest of a request is still taken after the answer that ends its connection. */
const LINGER_MS = 5000

/**
 * Ends a connection whose request was answered before it had all arrived in two steps (RFC 9112 section 9.6):
 * our side after the answer, the client's when it has sent the rest. A system that has to throw away what it
 * received resets the connection, and a client that is still sending would then not see the answer.
 */
export default fp(
  async (app) => {
    app.server.on('connection', (socket) => {
      const destroySoon = socket.destroySoon.bind(socket)
      // What Node calls after an answer with `connection: close`.
      socket.destroySoon = () => {
        const request = app.connections.get(socket)?.request
        if (request === undefined || request.complete) {
          destroySoon()
          return
        }
        request.once('end', () => socket.destroy())
        request.resume()
        endLingering(socket)
      }
    })
  },
  { name: 'lingering-close', dependencies: ['connections'] },
)

/** Ends our side of a connection after `last`, and leaves the client some time to end its own. */
export function endLingering(socket: Socket, last = ''): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.end(last)
}
