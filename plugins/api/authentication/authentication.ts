import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { bearerKey, bearerToken } from '#plugins/api/tokens/credentials.ts'
import type { User } from '#schemas/users.ts'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import type { Principal } from '#services/authentication/principal.ts'
import { ImpersonationForbidsThis } from '#services/sessions/errors.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'
import { Forbidden } from '#services/users/errors.ts'
import { type Demands, hiding, refusesImpersonators } from './demands.ts'
import { type Entrance, entranceOfApiKeys } from './entrance-of-keys.ts'
import { stepUp } from './step-up.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes the hook that lets a request pass if its sender may; who it is, is `request.principal`. */
    authenticate(demands: Demands): onRequestHookHandler
  }
  interface FastifyRequest {
    /** Who sends the request; undefined while nobody has authenticated. */
    principal: Principal | undefined
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
  {
    name: 'authentication',
    dependencies: ['api-keys', 'client-address', 'credentials', 'identity', 'tokens'],
  },
)

/** Makes the entrance of people, who send an access token. */
function entranceOfUsers(app: FastifyInstance, demands: Demands): Entrance {
  const { access, requires } = demands
  const assertRecent = requires && stepUp(app.identities, requires)
  const isForPerson = refusesImpersonators(demands)

  function enter(request: FastifyRequest, token: string, { sid }: AccessTokenClaims, identity?: Identity) {
    if (identity === undefined) {
      // It was verified, which would let it be asked about before it is counted.
      app.tokens.forget(token)
      throw new Unauthenticated()
    }
    const { user, impersonatorId } = identity
    request.principal = { kind: 'user', user, sessionId: sid, impersonatorId }
    if (impersonatorId !== null) request.log = request.log.child({ impersonator_id: impersonatorId })
    if (access === 'api_key') throw new Forbidden({ detail: 'This is for API keys.' })
    const isForAdmins = access === 'admin' || access === 'operator'
    if (isForAdmins && identity.user.role !== 'admin') throw hiding(demands, new Forbidden())
    if (impersonatorId !== null && isForPerson) throw new ImpersonationForbidsThis()
    assertRecent?.(request, identity)
  }

  return (request, token) => {
    const claims = verify(app, token)
    const found = app.credentials.find(request, token, claims)
    if (found instanceof Promise) return found.then((identity) => enter(request, token, claims, identity))
    enter(request, token, claims, found)
    return undefined
  }
}

/** Returns what a token says; anything that we did not issue is one and the same 401. */
function verify({ tokens }: FastifyInstance, token: string): AccessTokenClaims {
  try {
    return tokens.verify(token)
  } catch (error) {
    throw new Unauthenticated({ cause: error })
  }
}
