import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import fp from 'fastify-plugin'
import { splitListenAddress } from '#config/engine/listen-address.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Opens the listener of the admin panel if it has one of its own (`admin.address`); returns its port.
     *
     * @throws what keeps it from listening
     */
    listenForAdmin(): Promise<number | undefined>
    /** Whether the panel is served to a request: on its own listener only, if it has one. */
    servesPanelTo(request: { readonly raw: { readonly socket: Socket } }): boolean
  }
}

/**
 * A second listener for the panel and the API that it calls. Its connections are those of the service's own server from
 * then on: same limits, same steps, same end.
 */
export default fp(
  async (app) => {
    const { address } = app.config.admin
    const sockets = new WeakSet<Socket>()
    // As an HTTP server takes its connections.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      // HTTP reports errors of a connection to the server that it belongs to.
      Object.assign(socket, { server: app.server })
      app.server.emit('connection', socket)
    })

    app.decorate('listenForAdmin', async () => {
      if (address === undefined) return undefined
      listener.listen(splitListenAddress(address))
      await once(listener, 'listening')
      const bound = listener.address()
      const port = bound !== null && typeof bound === 'object' ? bound.port : undefined
      app.log.info({ port }, 'the admin panel has a listener of its own')
      return port
    })
    app.decorate('servesPanelTo', (request) => address === undefined || sockets.has(request.raw.socket))
    // Without waiting: its connections end with the server's.
    const close = () => void listener.close()
    app.onRetire(close)
    app.addHook('preClose', async () => close())
  },
  { name: 'admin-listener', dependencies: ['draining'] },
)
