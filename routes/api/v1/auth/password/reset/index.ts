import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ResetPassword } from '#schemas/authentication.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import * as passwords from '#services/account/password.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { NEW_PASSWORD_ERRORS } from '#services/passwords/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { cost: 20, access: 'public', errors: [InvalidOneTimeToken, ...NEW_PASSWORD_ERRORS] },
      schema: {
        operationId: 'resetPassword',
        tags: ['auth'],
        summary: 'Set a new password',
        description:
          'Takes the token that was mailed after "forgot" or with an invitation. All sessions of the user ' +
          'end, and all other links are void. A password that is refused leaves the token usable.',
        body: ref(ResetPassword),
        response: { 204: NoContent('The password is set.') },
      },
    },
    async ({ ctx, body }, reply) => {
      await passwords.reset(ctx, body.token, body.password)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
