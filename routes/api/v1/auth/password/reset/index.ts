import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { ResetPassword } from '#schemas/recovery.ts'
import { ref } from '#schemas/registry.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { NEW_PASSWORD_ERRORS } from '#services/passwords/errors.ts'
import * as recovery from '#services/recovery/recovery.ts'

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
      await recovery.reset(ctx, body.token, body.password)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
