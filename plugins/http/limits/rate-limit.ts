import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { RateLimited } from '#lib/rate-limits/errors.ts'
import { type Decision, RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import { announce, scarcer, secondsOf } from './decisions.ts'
import { registerRateLimitMetrics } from './limit-metrics.ts'
import { createSocketLimit, type SocketLimit } from './socket-limit.ts'
import { createStores } from './stores.ts'
import { type CallerFinder, createNetworkSubjects, type Subject } from './subjects.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Points that a request costs its client: one unless the route says otherwise, none for probes. */
    cost?: number
  }
  interface FastifyInstance {
    /** Counts a request, and refuses it beyond its client's limit. */
    limitRate: onRequestHookHandler
    /**
     * Counts a WebSocket that is asked for, and returns why it is refused, if it is. They have a budget of their network's
     * own: clients that all return after a loss leave that of other requests to who signs in there.
     */
    readonly limitSockets: SocketLimit
    /** Has requests whose sender is known counted against the sender; without it all count against their network. */
    countCallers(find: CallerFinder): void
  }
}

/**
 * Limits for every request, whatever it asks for: of its user, or of its API key and the key's organization, where they are
 * known (`countCallers`), else of the network that it comes from. In memory, for a caller whom the cache knows, it is
 * synchronous.
 */
export default fp(
  async (app) => {
    const { enabled, per_user, per_api_key, per_organization, per_address, window } = app.config.rate_limit
    if (!enabled) {
      app.decorate('limitRate', (_request, _reply, done) => done())
      app.decorate('limitSockets', () => undefined)
      app.decorate('countCallers', () => {})
      return
    }
    const points = {
      user: per_user,
      api_key: per_api_key,
      organization: per_organization,
      address: per_address,
    }
    const stores = createStores(app)
    app.addHook('onClose', async () => stores.close())
    const metrics = registerRateLimitMetrics(app.metrics, () => stores.current().name)
    const limiter = new RateLimiter({
      windowMs: window,
      store: () => stores.current().store,
      instances: () => (stores.current().isShared ? app.instances.known : 1),
      decidedAlone: metrics.decidedAlone,
    })

    let findCaller: CallerFinder = () => undefined
    app.decorate('countCallers', (find) => {
      findCaller = find
    })
    const networkSubject = createNetworkSubjects(app)
    const isOver = (subjects: readonly Subject[], cost: number) =>
      subjects.some(({ kind, key }) => limiter.isOver(key, points[kind], cost))

    app.decorate('limitRate', (request, reply, done) => {
      const { cost = 1, probe } = request.routeOptions.config
      if (probe || cost === 0) return done()
      /** Takes from one budget after the other; the client is told of the one with the least in it. */
      const count = (subjects: readonly Subject[], index: number, least: Decision | undefined): void => {
        const subject = subjects[index]
        if (subject === undefined) {
          if (least) announce(reply, least)
          done()
          return
        }
        const { kind, key } = subject
        const finish = (decision: Decision): void => {
          if (decision.admitted) {
            count(subjects, index + 1, scarcer(least, decision))
            return
          }
          announce(reply, decision)
          metrics.refused(kind)
          request.isRepeatedRefusal = decision.isRepeated
          done(new RateLimited({ retryAfter: secondsOf(decision) }))
        }
        const decision = limiter.take(key, points[kind], cost)
        if (decision instanceof Promise) void decision.then(finish)
        else finish(decision)
      }
      const countCaller = (subjects: readonly Subject[] | undefined) =>
        count(subjects ?? [networkSubject(request)], 0, undefined)
      const found = findCaller(request, cost, isOver)
      if (found instanceof Promise) void found.then(countCaller)
      else countCaller(found)
    })

    app.decorate('limitSockets', createSocketLimit(limiter, per_address, metrics))
    app.step('preflight limit', stepOf(app, true))
    app.step('rate limit', stepOf(app, false))
  },
  { name: 'rate-limit', dependencies: ['client-address', 'database', 'instances', 'metrics', 'redis'] },
)

/** Counts preflights, which are answered early, or all other requests. */
function stepOf(app: FastifyInstance, isOfPreflights: boolean): onRequestHookHandler {
  return (request, reply, done) => {
    if ((request.method === 'OPTIONS') === isOfPreflights) app.limitRate.call(app, request, reply, done)
    else done()
  }
}
