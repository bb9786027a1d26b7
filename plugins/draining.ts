import { Server, type Socket } from 'node:net'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on /ready answers 503, and each answer asks its client to connect elsewhere next time. */
    drain(): void
    /** Whether `drain` was called. */
    isDraining(): boolean
    /**
     * Ends the listener and nothing else, and has each answer ask its client to connect again. /ready stays as it
     * is, for another process has taken over the port.
     */
    retire(): void
  }
}

/** Sees to it that connections without a request never hold up the end of the instance. */
export default fp(
  async (app) => {
    let draining = false
    let retired = false
    app.decorate('drain', () => {
      draining = true
    })
    app.decorate('isDraining', () => draining)
    app.decorate('retire', () => {
      retired = true
      // HTTP's own would close idle connections too, on which the next request may be under way.
      Server.prototype.close.call(app.server)
    })

    app.addHook('onSend', (_request, reply, _payload, done) => {
      if (draining || retired) reply.header('connection', 'close')
      done()
    })

    /** How many requests each connection has that are not answered yet. */
    const connections = new Map<Socket, number>()
    const count = (socket: Socket, change: 1 | -1) => {
      const requests = connections.get(socket)
      if (requests !== undefined) connections.set(socket, requests + change)
    }
    app.server.on('connection', (socket) => {
      connections.set(socket, 0)
      socket.once('close', () => connections.delete(socket))
    })
    app.server.on('request', ({ socket }, response) => {
      count(socket, 1)
      response.once('close', () => count(socket, -1))
    })

    app.addHook('preClose', async () => {
      draining = !retired
      // Node closes those that wait for their next request, but not those that have yet to send a whole first
      // one, which browsers and load balancers open ahead of time.
      for (const [socket, requests] of connections) if (requests === 0) socket.destroy()
    })
  },
  { name: 'draining' },
)
