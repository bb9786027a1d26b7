import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

/** A request of a connection and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Time by `performance.now()`. */
  readonly begun: number
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The last exchange of each connection; those before it are over, or are answered before it. Undefined before the
     * first and between two, so that clients that keep many connections cost little.
     */
    readonly connections: ReadonlyMap<Socket, Exchange | undefined>
    /** Leaves a connection to somebody else, because it speaks another protocol from now on. */
    leaveConnection(socket: Socket): void
  }
}

/** Knows what is going on on each connection. */
export default fp(
  async (app) => {
    const connections = new Map<Socket, Exchange | undefined>()
    app.decorate('connections', connections)
    app.decorate('leaveConnection', (socket) => {
      connections.delete(socket)
    })
    app.server.on('connection', (socket) => {
      connections.set(socket, undefined)
      socket.once('close', () => connections.delete(socket))
    })
    app.server.on('request', (request, response) => {
      const { socket } = request
      const exchange = { request, response, begun: performance.now() }
      connections.set(socket, exchange)
      response.once('close', () => {
        if (request.complete && connections.get(socket) === exchange) connections.set(socket, undefined)
      })
    })
  },
  { name: 'connections' },
)
