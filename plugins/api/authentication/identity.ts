import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { CacheResult } from '#lib/cache/cache.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import { ApiKeyCallers } from '#services/api-keys/callers.ts'
import type { MembershipsContext } from '#services/members/members.ts'
import { Memberships } from '#services/members/memberships.ts'
import { type ChannelListener, IdentityChannel, tellAll } from '#services/sessions/identity/channel.ts'
import { Identities } from '#services/sessions/identity/identities.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import type { SessionContext } from '#services/sessions/sessions.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends SessionContext, Pick<MembershipsContext, 'memberships'> {
    readonly apiKeys: ApiKeyCallers
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Identities by session. */
    identities: Identities
    /** Has a listener hear of every change, once what is cached is forgotten. */
    onIdentityChange(listener: ChannelListener): void
  }
}

/**
 * Caches identities, in memory and in Redis if there is one, memberships and API keys; the database tells of changes.
 */
export default fp(
  async (app) => {
    const { auth, database, jwt } = app.config
    const answers = { identity: none(), membership: none(), api_key: none() }
    new Counter({
      name: 'cache_requests_total',
      help: 'Questions to a cache by where the answer was: in memory, shared (in Redis), or a miss, for which the database was asked.',
      labelNames: ['cache', 'result'],
      registers: [app.metrics],
      collect() {
        this.reset()
        for (const [cache, counts] of Object.entries(answers)) {
          for (const [result, count] of Object.entries(counts)) this.inc({ cache, result }, count)
        }
      },
    })

    const identities: Identities = new Identities({
      read: (sessionId) => sessionRecords.findOwner(app, sessionId),
      readMany: (sessionIds) => sessionRecords.findOwners(app, sessionIds),
      isTrusted: () => channel.isTrusted(),
      answered: (result) => {
        answers.identity[result]++
      },
      now: () => channel.now(),
      shared: app.redis && { store: app.redis, key: deriveKey(jwt.secret, 'identities') },
    })
    const memberships = new Memberships({
      db: app.db,
      isTrusted: () => channel.isTrusted(),
      answered: (result) => {
        answers.membership[result]++
      },
    })
    const apiKeys = new ApiKeyCallers({
      db: app.db,
      isTrusted: () => channel.isTrusted(),
      answered: (result) => {
        answers.api_key[result]++
      },
    })
    const listeners = [forgetIn(identities, memberships, apiKeys)]
    const channel: IdentityChannel = new IdentityChannel(
      await connectionOptions(database),
      tellAll(listeners),
      app.moduleLog('identity'),
    )
    app.decorate('identities', identities)
    app.decorate('onIdentityChange', (listener) => {
      listeners.push(listener)
    })
    app.addContext({
      identities,
      memberships,
      apiKeys,
      sessions: {
        idleTimeout: auth.session.idle_timeout,
        absoluteTimeout: auth.session.absolute_timeout,
        refreshGrace: auth.session.refresh_grace,
        maxPerUser: auth.session.max_per_user,
        key: deriveKey(jwt.secret, 'refresh tokens'),
      },
    })
    // Without the channel nothing that is kept is trusted.
    if (auth.cache) app.addHook('onReady', async () => channel.start())
    app.addHook('onClose', () => channel.close())
  },
  { name: 'identity', dependencies: ['context', 'database', 'log-levels', 'metrics', 'redis'] },
)

function forgetIn(identities: Identities, memberships: Memberships, apiKeys: ApiKeyCallers): ChannelListener {
  return {
    forgetSession: (id) => identities.forgetSession(id),
    forgetUser: (id) => identities.forgetUser(id),
    forgetMember: (org, user) => memberships.forget(org, user),
    forgetOrganization(org) {
      memberships.forgetOrganization(org)
      apiKeys.forgetOrganization(org)
    },
    forgetApiKey: (org, id) => apiKeys.forget(org, id),
    forgetAll() {
      identities.forgetAll()
      memberships.forgetAll()
      apiKeys.forgetAll()
    },
  }
}

const none = (): Record<CacheResult, number> => ({ memory: 0, shared: 0, miss: 0 })
