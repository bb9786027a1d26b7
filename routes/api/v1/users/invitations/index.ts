import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { InviteUser, User } from '#schemas/users.ts'
import * as registration from '#services/registration/registration.ts'
import { EmailTaken, UsernameTaken } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'admin',
        cost: 10,
        versioned: true,
        idempotent: true,
        requires: { maxAge: '10m' },
        errors: [EmailTaken, UsernameTaken],
      },
      schema: {
        operationId: 'inviteUser',
        tags: ['users'],
        summary: 'Invite a user',
        description:
          'Creates an account for somebody, who gets a mail with a link to choose the password. For admins; ' +
          'with registration closed it is the only way in.',
        body: ref(InviteUser),
        response: { 201: ref(User) },
      },
    },
    async ({ user: actor, body }, reply) =>
      reply.sendOnce(async (ctx) => {
        const user = await registration.invite(ctx, actor, body)
        return { location: `/api/v1/users/${user.id}`, body: user }
      }),
  )
}

export default routes
