import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Reauthenticate } from '#schemas/authentication.ts'
import { ref } from '#schemas/registry.ts'
import { Authentication } from '#schemas/sessions.ts'
import { WrongPassword } from '#services/account/errors.ts'
import { reauthenticate } from '#services/account/reauthentication.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { forPersonOnly: true, cost: 20, errors: [WrongPassword, TooManyAttempts, PasswordQueueFull] },
      schema: {
        operationId: 'reauthenticate',
        tags: ['auth'],
        summary: 'Prove again who you are',
        description:
          'Renews `authenticated_at` of the session, for operations that answer 401 `reauthentication_required`. ' +
          'The tokens stay the same. Wrong passwords are counted as those of a login are.',
        body: ref(Reauthenticate),
        response: { 200: ref(Authentication) },
      },
    },
    ({ ctx, user, sessionId, body }) => reauthenticate(ctx, user, sessionId, body.password),
  )
}

export default routes
