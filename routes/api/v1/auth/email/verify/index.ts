import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { VerifyEmail } from '#schemas/registration.ts'
import { ref } from '#schemas/registry.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import * as verification from '#services/registration/verification.ts'
import { EmailTaken, UsernameTaken } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'public', errors: [InvalidOneTimeToken, EmailTaken, UsernameTaken] },
      schema: {
        operationId: 'verifyEmail',
        tags: ['auth'],
        summary: 'Confirm an email address',
        description:
          'Takes the token that was mailed after a registration or a change of address. The registration ' +
          'becomes an account, or the account gets its new address.',
        body: ref(VerifyEmail),
        response: { 204: NoContent('The address is confirmed.') },
      },
    },
    async (request, reply) => {
      await verification.verifyEmail(request.ctx, request.body.token)
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
