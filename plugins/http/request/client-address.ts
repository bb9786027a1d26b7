import fp from 'fastify-plugin'
import { plainAddress } from '#lib/network/addresses.ts'
import { addressOf, nodesOfForwarded, nodesOfList } from './forwarded.ts'
import { trustOf } from './trusted-proxies.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Where a request came from, in its plain form: the connection's address, or what trusted proxies say, of which
     * the nearest that is not a trusted proxy itself counts (`server.trusted_proxies`). Undefined when the client
     * has left.
     */
    clientAddress(request: Pick<FastifyRequest, 'headers' | 'socket'>): string | undefined
  }
}

/** Milliseconds between two warnings. */
const WARNING_INTERVAL_MS = 60_000

/** Says who asks, for limits, sessions and logs. `request.ip` is the framework's, and cannot read all forms. */
export default fp(
  async (app) => {
    const { trusted_proxies, forwarded_header } = app.config.server
    const isTrusted = trustOf(trusted_proxies)
    const nodesOf = forwarded_header === 'forwarded' ? nodesOfForwarded : nodesOfList
    const warn = createWarning(app.log)

    app.decorate('clientAddress', ({ headers, socket }) => {
      let nearest = plainAddress(socket.remoteAddress ?? '')
      if (nearest === undefined || !isTrusted(nearest)) return nearest
      for (const node of nodesOf(String(headers[forwarded_header] ?? ''))) {
        const address = addressOf(node)
        if (address === undefined) {
          warn(nearest)
          return nearest
        }
        nearest = address
        if (!isTrusted(address)) return address
      }
      return nearest
    })
  },
  { name: 'client-address' },
)

/** A warning once a minute: the proxy's clients share its limits, and somebody should know. */
function createWarning(log: { warn(fields: object, message: string): void }): (proxy: string) => void {
  let next = 0
  return (proxy) => {
    if (performance.now() < next) return
    next = performance.now() + WARNING_INTERVAL_MS
    log.warn(
      { remote_address: proxy },
      "a trusted proxy sends no readable address of its client: such clients share the proxy's limits",
    )
  }
}
