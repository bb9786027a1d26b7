import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { Exchange } from './connections.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file, which may take as long as it moves: `files.min_speed` takes the place of a time for all of it. */
    upload?: true
  }
}

/** Bytes that an upload had at some time, and how often it was looked at since. */
interface Mark {
  readonly bytes: number
  looks: number
}

/**
 * Refuses bodies that take too long. Node's own limit (`requestTimeout`) is one for the whole server, and would end every
 * upload that takes longer than any other body may.
 */
export default fp(
  async (app) => {
    const { headers_timeout, request_timeout } = app.config.server
    const { min_speed } = app.config.files
    const interval = Math.ceil(headers_timeout / 4)
    const uploads = new WeakMap<IncomingMessage, Mark>()

    app.addHook('onRoute', (route) => {
      if (!route.config?.upload) return
      const others = [route.onRequest ?? []].flat()
      route.onRequest = [
        (request, _reply, done) => {
          const { raw } = request
          uploads.set(raw, { bytes: raw.socket.bytesRead, looks: 0 })
          done()
        },
        ...others,
      ]
    })

    /**
     * Whether a body has had its time. An upload must move in each time that other bodies have for all of theirs; that is
     * counted in looks, so that a process that stands still does not take its own delay for the client's.
     */
    function isLate({ request, begun }: Exchange, now: number): boolean {
      const mark = uploads.get(request)
      if (mark === undefined) return now - begun > request_timeout
      mark.looks++
      const elapsed = mark.looks * interval
      if (elapsed < request_timeout) return false
      const { bytesRead } = request.socket
      uploads.set(request, { bytes: bytesRead, looks: 0 })
      return (bytesRead - mark.bytes) * 1000 < min_speed * elapsed
    }

    const looking = setInterval(() => {
      const now = performance.now()
      for (const [socket, exchange] of app.connections) {
        if (exchange !== undefined && !exchange.request.complete && isLate(exchange, now)) refuse(socket)
      }
    }, interval).unref()
    app.addHook('onClose', async () => clearInterval(looking))

    /** As Node does when a request is late. */
    function refuse(socket: Socket): void {
      const error = Object.assign(new Error('the body took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      app.server.emit('clientError', error, socket)
    }
  },
  { name: 'body-timeout', dependencies: ['connections'] },
)
