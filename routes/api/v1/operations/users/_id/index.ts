import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AdministeredUser, UpdateAdministeredUser } from '#schemas/administered-users.ts'
import { ref } from '#schemas/registry.ts'
import { UserParams } from '#schemas/users.ts'
import * as accounts from '#services/account/administration.ts'
import * as administration from '#services/users/administration.ts'
import { LastAdmin, UserChanged, UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', versioned: true, errors: [UserNotFound] },
      schema: {
        operationId: 'getAdministeredUser',
        tags: ['administration'],
        summary: 'Read a user as an admin',
        description: 'With whether the address was confirmed. `ETag` names its version. For admins.',
        params: UserParams,
        response: { 200: ref(AdministeredUser) },
      },
    },
    async ({ ctx, user, params }, reply) =>
      reply.sendVersioned(await administration.get(ctx, user, params.id)),
  )

  app.patch(
    '',
    {
      config: {
        access: 'operator',
        versioned: true,
        requires: { maxAge: '10m' },
        errors: [LastAdmin, UserChanged, UserNotFound],
      },
      schema: {
        operationId: 'updateAdministeredUser',
        tags: ['administration'],
        summary: 'Change what a user may do',
        description:
          'Makes an account an admin or a user, and closes or opens it; it takes effect on live tokens at once. With ' +
          '`If-Match` the change applies only to the version that the `ETag` names. For admins.',
        params: UserParams,
        body: ref(UpdateAdministeredUser),
        response: { 200: ref(AdministeredUser) },
      },
    },
    async (request, reply) => {
      const { ctx, user, sessionId, params, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await accounts.update(ctx, { user, sessionId }, params.id, body, versions))
    },
  )
}

export default routes
