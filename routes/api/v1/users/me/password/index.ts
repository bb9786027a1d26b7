import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ChangePassword } from '#schemas/passwords.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { WrongPassword } from '#services/account/errors.ts'
import * as passwords from '#services/account/password.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { NEW_PASSWORD_ERRORS } from '#services/passwords/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.put(
    '',
    {
      config: {
        forPersonOnly: true,
        cost: 20,
        errors: [WrongPassword, TooManyAttempts, ...NEW_PASSWORD_ERRORS],
      },
      schema: {
        operationId: 'changePassword',
        tags: ['users'],
        summary: 'Change your password',
        description: 'All your other sessions end, and all mailed links are void.',
        body: ref(ChangePassword),
        response: { 204: NoContent('The password is changed.') },
      },
    },
    async ({ ctx, user, sessionId, body }, reply) => {
      await passwords.change(ctx, user, sessionId, body)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
