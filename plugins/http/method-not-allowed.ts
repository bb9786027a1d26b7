import { METHODS } from 'node:http'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import findMyWay from 'find-my-way'
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

type Refusal = (request: FastifyRequest, reply: FastifyReply) => FastifyReply

/**
 * Answers a known URL with a wrong method by 405 and `Allow` (RFC 9110 section 15.5.6), and OPTIONS by 204
 * and `Allow`, by routes for the methods that are left over. The methods that no URL takes share one route, which looks
 * the URL up: a route of each for each URL would be most of all routes, and a sixth of the time of a start.
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
      const used = new Set(['OPTIONS', ...[...taken.values()].flatMap((methods) => [...methods])])
      const { maxParamLength } = app.initialConfig.routerOptions ?? {}
      const urls = findMyWay({ ...(maxParamLength === undefined ? {} : { maxParamLength }) })
      for (const [url, methods] of [...taken]) {
        if (url.endsWith('*')) continue
        const refusal = refusalAt([...methods, 'OPTIONS'].join(', '), routes.get(url)?.config)
        urls.on('GET', url, noHandler, refusal)
        refuse(
          url,
          [...used].filter((method) => !methods.has(method)),
          refusal,
        )
      }
      const others = METHODS.filter((method) => !used.has(method))
      refuse('*', others, (request, reply) => {
        const found = urls.find('GET', request.raw.url ?? '')
        const refusal: Refusal = found?.store ?? nothingHere
        return refusal(request, reply)
      })
    })

    /** Adds a route that refuses. In onRequest, so that the body's type or size can't be refused first. */
    function refuse(url: string, method: string[], refusal: Refusal): void {
      app.route({
        url,
        method,
        exposeHeadRoute: false,
        schema: { hide: true },
        config: { refusesMethod: true },
        onRequest: async (request, reply) => refusal(request, reply),
        handler: noHandler,
      })
    }
  },
  { name: 'method-not-allowed' },
)

/* c8 ignore next 2: a route must have one, but onRequest has answered. */
function noHandler(): void {}

function nothingHere(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.callNotFound()
  return reply
}

/** Makes what refuses the methods that a URL does not take. */
function refusalAt(
  allow: string,
  { isHiddenFrom, optionsHeaders = {} }: RouteOptions['config'] = {},
): Refusal {
  return (request, reply) => {
    if (isHiddenFrom?.(request)) return nothingHere(request, reply)
    reply.header('allow', allow)
    if (request.method === 'OPTIONS') return reply.code(204).headers(optionsHeaders).send()
    throw new MethodNotAllowed()
  }
}
