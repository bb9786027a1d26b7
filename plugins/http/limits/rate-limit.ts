import type { FastifyReply, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { RateLimited } from '#lib/rate-limits/errors.ts'
import { type Decision, RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import { registerRateLimitMetrics } from './limit-metrics.ts'
import { createStores } from './stores.ts'
import { createNetworkSubjects, type Subject, type UserFinder, userSubject } from './subjects.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Points that a request costs its client: one unless the route says otherwise, none for probes. */
    cost?: number
  }
  interface FastifyInstance {
    /** Counts a request, and refuses it beyond its client's limit. */
    limitRate: onRequestHookHandler
    /** Has requests with a user counted against the user; without it all count against their network. */
    countUsers(find: UserFinder): void
  }
}

/**
 * Limits for every request, whatever it asks for: of its user where one is known (`countUsers`), else of the network
 * that it comes from. In memory, for a user whom the cache knows, it is synchronous.
 */
export default fp(
  async (app) => {
    const { enabled, per_user, per_address, window } = app.config.rate_limit
    if (!enabled) {
      app.decorate('limitRate', (_request, _reply, done) => done())
      app.decorate('countUsers', () => {})
      return
    }
    const points = { user: per_user, address: per_address }
    const stores = createStores(app)
    app.addHook('onClose', async () => stores.close())
    const metrics = registerRateLimitMetrics(app.metrics, () => stores.current().name)
    const limiter = new RateLimiter({
      windowMs: window,
      store: () => stores.current().store,
      instances: () => (stores.current().isShared ? app.instances.known : 1),
      decidedAlone: metrics.decidedAlone,
    })

    let findUser: UserFinder = () => undefined
    app.decorate('countUsers', (find) => {
      findUser = find
    })
    const networkSubject = createNetworkSubjects(app)
    const isOver = (userId: string, cost: number) => limiter.isOver(userSubject(userId).key, per_user, cost)

    app.decorate('limitRate', (request, reply, done) => {
      const { cost = 1, probe } = request.routeOptions.config
      if (probe || cost === 0) return done()
      const count = ({ kind, key }: Subject) => {
        const finish = (decision: Decision) => {
          announce(reply, decision)
          if (decision.admitted) return done()
          metrics.refused(kind)
          request.isRepeatedRefusal = decision.isRepeated
          done(new RateLimited({ retryAfter: secondsOf(decision) }))
        }
        const decision = limiter.take(key, points[kind], cost)
        if (decision instanceof Promise) void decision.then(finish)
        else finish(decision)
      }
      const countUser = (userId: string | undefined) =>
        count(userId === undefined ? networkSubject(request) : userSubject(userId))
      const userId = findUser(request, cost, isOver)
      if (userId instanceof Promise) void userId.then(countUser)
      else countUser(userId)
    })

    app.step('preflight limit', (request, reply, done) => {
      if (request.method === 'OPTIONS') app.limitRate.call(app, request, reply, done)
      else done()
    })
    app.step('rate limit', (request, reply, done) => {
      if (request.method === 'OPTIONS') done()
      else app.limitRate.call(app, request, reply, done)
    })
  },
  { name: 'rate-limit', dependencies: ['client-address', 'instances', 'metrics', 'redis'] },
)

/** draft-ietf-httpapi-ratelimit-headers-07 and before; later drafts have another form, which few clients read. */
function announce(reply: FastifyReply, decision: Decision): void {
  reply.header('ratelimit-limit', decision.limit)
  reply.header('ratelimit-remaining', decision.remaining)
  reply.header('ratelimit-reset', secondsOf(decision))
}

function secondsOf({ resetsIn }: Decision): number {
  return Math.max(1, Math.ceil(resetsIn / 1000))
}
