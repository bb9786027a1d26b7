import { METHODS } from 'node:http'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { MethodNotAllowed } from '#plugins/http/errors/http-errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route only refuses methods that its URL does not have. */
    refusesMethod?: boolean
    /** Whether there is nothing at the route's URL for a request, whatever its method. */
    isHiddenFrom?: (request: FastifyRequest) => boolean
    /** Headers of the answer to OPTIONS, which say more of what the URL can do. */
    optionsHeaders?: Readonly<Record<string, string>>
  }
  interface FastifyInstance {
    /** Adds the answers to wrong methods; to be called when all routes are there. */
    refuseOtherMethods(): void
  }
}

/**
 * Answers a known URL with a wrong method by 405 and `Allow` (RFC 9110 section 15.5.6), and OPTIONS by 204
 * and `Allow`, by routes for the methods that are left over.
 */
export default fp(
  async (app) => {
    // Fastify would answer those that it does not route by 404.
    for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)

    const taken = new Map<string, Set<string>>()
    const routes = new Map<string, RouteOptions>()
    app.addHook('onRoute', (route) => {
      const { url, method } = route
      routes.set(url, route)
      const methods = taken.get(url) ?? new Set()
      for (const name of [method].flat()) methods.add(name)
      // Of the two URLs of a prefix's root, Fastify announces one by its HEAD route only.
      if (methods.has('HEAD')) methods.add('GET')
      taken.set(url, methods)
    })

    app.decorate('refuseOtherMethods', () => {
      for (const [url, methods] of [...taken]) {
        if (url.endsWith('*')) continue
        const { optionsHeaders = {}, isHiddenFrom } = routes.get(url)?.config ?? {}
        const allow = [...methods, 'OPTIONS'].join(', ')
        app.route({
          url,
          method: METHODS.filter((method) => !methods.has(method)),
          exposeHeadRoute: false,
          schema: { hide: true },
          config: { refusesMethod: true },
          // In onRequest, so that the body's type or size can't be refused first.
          onRequest: async (request, reply) => {
            if (isHiddenFrom?.(request)) return reply.callNotFound()
            reply.header('allow', allow)
            if (request.method === 'OPTIONS') return reply.code(204).headers(optionsHeaders).send()
            throw new MethodNotAllowed()
          },
          /* c8 ignore next: a route must have one, but onRequest has answered. */
          handler: () => undefined,
        })
      }
    })
  },
  { name: 'method-not-allowed' },
)
