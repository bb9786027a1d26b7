import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SentMail } from '#schemas/administered-users.ts'
import { Justification } from '#schemas/operations.ts'
import { ref } from '#schemas/registry.ts'
import { UserParams } from '#schemas/users.ts'
import * as accounts from '#services/account/administration.ts'
import { UserInactive, UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { access: 'operator', requires: { maxAge: '10m' }, errors: [UserNotFound, UserInactive] },
      schema: {
        operationId: 'sendUserPasswordReset',
        tags: ['administration'],
        summary: 'Mail a user a link to set a password',
        description:
          'The old password holds until the link is used. The admin never sees the link. For admins.',
        params: UserParams,
        body: ref(Justification),
        response: { 202: ref(SentMail) },
      },
    },
    async ({ ctx, user, sessionId, params, body }, reply) =>
      reply
        .code(202)
        .send(await accounts.sendPasswordReset(ctx, { user, sessionId }, params.id, body.reason)),
  )
}

export default routes
