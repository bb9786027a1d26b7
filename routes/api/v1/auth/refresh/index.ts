import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Refresh, TokenPair } from '#schemas/authentication.ts'
import { ref } from '#schemas/registry.ts'
import * as auth from '#services/authentication/authentication.ts'
import { InvalidRefreshToken } from '#services/sessions/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'public', errors: [InvalidRefreshToken] },
      schema: {
        operationId: 'refreshTokens',
        tags: ['auth'],
        summary: 'Get the next pair of tokens',
        description:
          'Exchanges a refresh token for a new pair; the token is used up. For 30 seconds it gives the same ' +
          'successor again, for replies that got lost. Used later than that it counts as stolen: the session ' +
          'ends, and every token of it.',
        body: ref(Refresh),
        response: { 200: ref(TokenPair) },
      },
    },
    (request) => auth.refresh(request.ctx, request.body.refresh_token),
  )
}

export default routes
