import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server, type Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { Exchange } from './connections.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on /ready answers 503, and each answer asks its client to connect elsewhere next time. */
    drain(): void
    /** Has a listener called when `drain` is. */
    onDrain(listener: () => void): void
    /** Has a listener called when `retire` is, with the milliseconds that clients have to connect again. */
    onRetire(listener: (withinMs: number) => void): void
    /** Whether `drain` was called. */
    isDraining(): boolean
    /** Whether connections are kept after their answers: neither `drain` nor `retire` was called. */
    keepsConnections(): boolean
    /**
     * Ends the listener and nothing else, and has each answer ask its client to connect again. /ready stays as it
     * is, for another process has taken over the port.
     *
     * @param withinMs milliseconds until the instance closes
     */
    retire(withinMs: number): void
  }
}

/** Milliseconds for which a client may take nothing of its answer once the listener is closed. */
const UNREAD_TIMEOUT_MS = 5000

/** Sees to it that clients that send nothing, or read nothing, never hold up the end of the instance. */
export default fp(
  async (app) => {
    let draining = false
    let retired = false
    let closing = false
    const listeners: (() => void)[] = []
    const retireListeners: ((withinMs: number) => void)[] = []
    app.decorate('onDrain', (listener) => {
      listeners.push(listener)
    })
    app.decorate('onRetire', (listener) => {
      retireListeners.push(listener)
    })
    app.decorate('drain', () => {
      draining = true
      for (const listener of listeners) listener()
      for (const exchange of app.connections.values()) if (exchange) askToLeave(exchange.response)
    })
    app.decorate('isDraining', () => draining)
    app.decorate('keepsConnections', () => !draining && !retired)
    app.decorate('retire', (withinMs) => {
      retired = true
      for (const listener of retireListeners) listener(withinMs)
      for (const exchange of app.connections.values()) if (exchange) askToLeave(exchange.response)
      // HTTP's own would close idle connections too, on which the next request may be under way.
      Server.prototype.close.call(app.server)
    })

    // Not a hook, because that would cost time at each response.
    app.server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (draining || retired) askToLeave(response)
    })

    function askToLeave(response: ServerResponse): void {
      // Node then says `connection: close`.
      response.shouldKeepAlive = false
      if (closing) response.once('prefinish', () => response.socket?.setTimeout(UNREAD_TIMEOUT_MS))
    }

    app.addHook('preClose', async () => {
      draining = !retired
      closing = true
      for (const [socket, exchange] of app.connections) {
        // Node closes those that wait for their next request, but not those that have yet to send a whole first
        // one, which browsers and load balancers open ahead of time.
        if (exchange === undefined || isOver(exchange)) socket.destroy()
        else limit(socket, exchange)
      }
    })

    /** Connections that Node does not look after any more once the server closes. */
    function limit(socket: Socket, { request, response, begun }: Exchange): void {
      if (response.writableEnded) socket.setTimeout(UNREAD_TIMEOUT_MS)
      else askToLeave(response)
      if (request.complete) return
      const left = Math.max(0, begun + app.config.server.request_timeout - performance.now())
      const timer = setTimeout(() => request.complete || socket.destroy(), left)
      socket.once('close', () => clearTimeout(timer))
    }
  },
  { name: 'draining', dependencies: ['connections'] },
)

/** Whether the response is sent and the whole request has arrived, in either order. */
function isOver({ request, response }: Exchange): boolean {
  return response.writableFinished && request.complete
}
