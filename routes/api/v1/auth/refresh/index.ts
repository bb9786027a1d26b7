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
          'Exchanges a refresh token for a new pair; the token is used up. For 30 seconds it returns the same ' +
          'successor again, in case a response was lost. Used later than that, it counts as stolen: the session ' +
          'and all its tokens end.',
        body: ref(Refresh),
        response: { 200: ref(TokenPair) },
      },
    },
    (request) => auth.refresh(request.ctx, request.body.refresh_token),
  )
}

export default routes
