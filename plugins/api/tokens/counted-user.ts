import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import { bearerToken } from './credentials.ts'

/**
 * Has the rate limit count a request against its user when its token was seen to be valid here before and is alive
 * now. So forged tokens help nobody, and nobody spends a user's budget with the token of a session that has ended.
 */
export default fp(
  async (app) => {
    async function ask(
      request: FastifyRequest,
      token: string,
      claims: AccessTokenClaims,
    ): Promise<string | undefined> {
      try {
        const owner = await app.credentials.find(request, token, claims)
        return owner === undefined ? undefined : claims.sub
      } catch {
        // Authentication waits for the same answer, and reports the failure.
        return undefined
      }
    }

    app.countUsers((request, cost, isOver) => {
      const token = bearerToken(request)
      const claims = token === undefined ? undefined : app.tokens.peek(token)
      if (token === undefined || claims === undefined) return undefined
      if (app.credentials.look(claims) !== undefined) return claims.sub
      // A route that asks nobody who they are must work while nobody can tell.
      const { access = 'public' } = request.routeOptions.config
      if (access === 'public') return undefined
      // Without a cache each question is a statement, and a user who is over the limit must not cause any.
      if (!app.identities.isTrusted && isOver(claims.sub, cost)) return claims.sub
      return ask(request, token, claims)
    })
  },
  { name: 'counted-user', dependencies: ['credentials', 'rate-limit', 'tokens'] },
)
