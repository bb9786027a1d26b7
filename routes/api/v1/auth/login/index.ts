import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Login, TokenPair } from '#schemas/authentication.ts'
import { ref } from '#schemas/registry.ts'
import * as auth from '#services/authentication/authentication.ts'
import { InvalidCredentials, TooManyAttempts } from '#services/authentication/errors.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        cost: 20,
        access: 'public',
        errors: [InvalidCredentials, TooManyAttempts, PasswordQueueFull],
      },
      schema: {
        operationId: 'login',
        tags: ['auth'],
        summary: 'Sign in',
        description:
          'Opens a session: exchanges email and password for an access token and a refresh token. A wrong ' +
          'password, an unknown email and an account that is inactive or not confirmed are ' +
          'indistinguishable. Wrong passwords are counted per account and per client address.',
        body: ref(Login),
        response: { 200: ref(TokenPair) },
      },
    },
    (request) => auth.login(request.ctx, request.body),
  )
}

export default routes
