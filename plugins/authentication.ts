import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { User } from '../schemas/users.ts'
import type { AccessTokenClaims } from '../services/auth/access-tokens.ts'
import { Unauthenticated } from '../services/auth/errors.ts'
import { Forbidden } from '../services/users/errors.ts'
import { bearerToken } from './bearer-token.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Under /api it is `user` unless the route says otherwise. */
    access?: 'public' | 'user' | 'admin'
  }
  interface FastifyInstance {
    /** Makes the hook that lets a request pass if its user may; the signed-in user is `request.user`. */
    authenticate(access: 'user' | 'admin'): onRequestHookHandler
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
 * The check of who may pass. A token says which session it belongs to; whether that is open, and what its
 * user may do, is asked of `identities`, so that changes hold at once. A token of a role that its user has no
 * more is refused; refreshing gives one with the role of today. Without a miss there all of it is synchronous.
 */
export default fp(
  async (app) => {
    app.decorateRequest('sessionId', '')

    /** Gives what the token says; anything that we did not issue is one and the same 401. */
    function verify(request: FastifyRequest): AccessTokenClaims {
      const token = bearerToken(request)
      if (token === undefined) throw new Unauthenticated()
      try {
        return app.tokens.verify(token)
      } catch (error) {
        throw new Unauthenticated({ cause: error })
      }
    }

    app.decorate('authenticate', (access) => (request, _reply, done) => {
      const enter = (claims: AccessTokenClaims, user: User | undefined) => {
        if (user?.id !== claims.sub || promisesMore(claims, user)) throw new Unauthenticated()
        request.user = user
        request.sessionId = claims.sid
        if (access === 'admin' && user.role !== 'admin') throw new Forbidden()
      }
      try {
        const claims = verify(request)
        const known = app.identities.peek(claims.sid)
        if (known === undefined || promisesMore(claims, known)) {
          find(claims)
            .then((user) => enter(claims, user))
            .then(() => done(), done)
          return
        }
        enter(claims, known)
      } catch (error) {
        done(error instanceof Error ? error : new Unauthenticated({ cause: error }))
        return
      }
      done()
    })

    async function find(claims: AccessTokenClaims): Promise<User | undefined> {
      const user = await app.identities.load(claims.sid)
      // A token may be newer than what is kept: another instance has just issued it to a promoted user.
      return user && promisesMore(claims, user) ? app.identities.reload(claims.sid) : user
    }
  },
  { name: 'authentication', dependencies: ['bearer-token', 'identity', 'errors', 'tokens'] },
)

/** Whether a token says a role that its user does not have; `user` is what everybody has at least. */
function promisesMore(claims: AccessTokenClaims, user: User): boolean {
  return claims.role !== 'user' && claims.role !== user.role
}
