import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { bearerKey, bearerToken } from '#plugins/api/tokens/credentials.ts'
import type { User } from '#schemas/users.ts'
import type { ApiKeyCaller } from '#services/api-keys/caller.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import type { Principal } from '#services/authentication/principal.ts'
import { type Demands, entranceOfApiKeys, entranceOfUsers, hiding } from './entrance.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may call the route. Under /api it is `user` unless the route says otherwise; API keys may too where they can have
     * the route's `permission`. `api_key` is for keys alone, `caller` for people and any key. `operator` is for admins
     * too; for everybody else there is nothing at the URL (decision 090).
     */
    access?: 'public' | 'user' | 'admin' | 'operator' | 'api_key' | 'caller'
    /** Closes the route to admins who act in somebody's place, as `requires` does (decision 093). */
    forPersonOnly?: true
  }
  interface FastifyInstance {
    /** Makes the hook that lets a request pass if its sender may; who it is, is `request.principal`. */
    authenticate(demands: Demands): onRequestHookHandler
  }
  interface FastifyRequest {
    /** Who sends the request; undefined while nobody has authenticated. */
    principal: Principal | undefined
    /** The key that sends the request. Throws in every route that is not for keys alone. */
    readonly apiKey: ApiKeyCaller
    /** The session that the request belongs to; empty when nobody is signed in. */
    readonly sessionId: string
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    /** `request.user`, the person who is signed in. Throws in a route that takes API keys, or is public. */
    user: User
  }
}

/**
 * Authenticates and authorizes. A token says which session it belongs to; whether that is open, and what its
 * user may do, comes from `credentials`, so that changes take effect at once. A token of a role that its user has
 * lost is refused; refreshing returns one with the current role. Keys come from `apiKeys`, and are refused by routes for
 * people. Without a cache miss all of it is synchronous.
 */
export default fp(
  async (app) => {
    app.decorateRequest('principal', undefined)
    app.decorateRequest('user', {
      getter() {
        if (this.principal?.kind !== 'user') throw new TypeError(`${this.routeOptions.url} has no user`)
        return this.principal.user
      },
    })
    app.decorateRequest('apiKey', {
      getter() {
        if (this.principal?.kind !== 'api_key') throw new TypeError(`${this.routeOptions.url} has no API key`)
        return this.principal.key
      },
    })
    app.decorateRequest('sessionId', {
      getter() {
        return this.principal?.kind === 'user' ? this.principal.sessionId : ''
      },
    })

    app.decorate('authenticate', (demands) => {
      const [ofUsers, ofApiKeys] = [entranceOfUsers(app, demands), entranceOfApiKeys(app, demands)]
      const enter = (request: FastifyRequest) => {
        const token = bearerToken(request)
        if (token !== undefined) return ofUsers(request, token)
        const key = bearerKey(request)
        if (key !== undefined) return ofApiKeys(request, key)
        throw hiding(demands, new Unauthenticated())
      }
      return (request, _reply, done) => {
        let entered: Promise<void> | undefined
        try {
          entered = enter(request)
        } catch (error) {
          done(error instanceof Error ? error : new Unauthenticated({ cause: error }))
          return
        }
        if (entered === undefined) done()
        else entered.then(() => done(), done)
      }
    })
  },
  { name: 'authentication', dependencies: ['api-keys', 'credentials', 'identity', 'tokens'] },
)
