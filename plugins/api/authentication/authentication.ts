import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { bearerToken } from '#plugins/api/tokens/credentials.ts'
import type { User } from '#schemas/users.ts'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'
import { Forbidden } from '#services/users/errors.ts'
import { type Requirement, stepUp } from './step-up.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Under /api it is `user` unless the route says otherwise. */
    access?: 'public' | 'user' | 'admin'
  }
  interface FastifyInstance {
    /** Makes the hook that lets a request pass if its user may; the signed-in user is `request.user`. */
    authenticate(access: 'user' | 'admin', requires?: Requirement): onRequestHookHandler
  }
  interface FastifyRequest {
    /** The session that the request belongs to; empty when nobody is signed in. */
    sessionId: string
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: User
  }
}

/**
 * Authenticates and authorizes. A token says which session it belongs to; whether that is open, and what its
 * user may do, comes from `credentials`, so that changes take effect at once. A token of a role that its user has
 * lost is refused; refreshing returns one with the current role. Without a cache miss all of it is synchronous.
 */
export default fp(
  async (app) => {
    app.decorateRequest('sessionId', '')

    /** Returns what the token says; anything that we did not issue is one and the same 401. */
    function verify(token: string): AccessTokenClaims {
      try {
        return app.tokens.verify(token)
      } catch (error) {
        throw new Unauthenticated({ cause: error })
      }
    }

    app.decorate('authenticate', (access, requires) => {
      const assertRecent = requires && stepUp(app.identities, requires)
      return (request, _reply, done) => {
        const enter = (token: string, claims: AccessTokenClaims, identity: Identity | undefined) => {
          if (identity === undefined) {
            // It was verified, which would let it be asked about before it is counted.
            app.tokens.forget(token)
            throw new Unauthenticated()
          }
          request.user = identity.user
          request.sessionId = claims.sid
          if (access === 'admin' && identity.user.role !== 'admin') throw new Forbidden()
          assertRecent?.(request, identity)
        }
        try {
          const token = bearerToken(request)
          if (token === undefined) throw new Unauthenticated()
          const claims = verify(token)
          const found = app.credentials.find(request, token, claims)
          if (found instanceof Promise) {
            found.then((identity) => enter(token, claims, identity)).then(() => done(), done)
            return
          }
          enter(token, claims, found)
        } catch (error) {
          done(error instanceof Error ? error : new Unauthenticated({ cause: error }))
          return
        }
        done()
      }
    })
  },
  { name: 'authentication', dependencies: ['credentials', 'identity', 'tokens'] },
)
