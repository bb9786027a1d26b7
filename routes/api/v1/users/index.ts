import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { RegistrationAccepted } from '#schemas/registration.ts'
import { ref } from '#schemas/registry.ts'
import { CreateUser, ListUsersQuery, User, UserPage } from '#schemas/users.ts'
import { NEW_PASSWORD_ERRORS } from '#services/passwords/errors.ts'
import { RegistrationClosed } from '#services/registration/errors.ts'
import * as registration from '#services/registration/registration.ts'
import { EmailTaken, UsernameTaken } from '#services/users/errors.ts'
import * as users from '#services/users/users.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        cost: 20,
        access: 'public',
        versioned: true,
        idempotent: true,
        errors: [EmailTaken, UsernameTaken, RegistrationClosed, ...NEW_PASSWORD_ERRORS],
      },
      schema: {
        operationId: 'createUser',
        tags: ['users'],
        summary: 'Create a user',
        description:
          'Registers an account with the role `user`. With open registration it is there at once, and ' +
          '`Location` is its URL. If addresses are confirmed first, the answer is 202, whether or not the ' +
          'address is known, and the account is created by the link in the mail.',
        body: ref(CreateUser),
        response: { 201: ref(User), 202: ref(RegistrationAccepted) },
      },
    },
    async (request, reply) => {
      const candidate = await registration.admit(request.ctx, request.body)
      return reply.sendOnce(async (ctx) => {
        const user = await registration.register(ctx, candidate)
        if (user === undefined) return { status: 202, body: { status: 'verification_required' } }
        return { location: `/api/v1/users/${user.id}`, body: user }
      })
    },
  )

  app.get(
    '',
    {
      config: { replica: true, access: 'admin', errors: [InvalidCursor] },
      schema: {
        operationId: 'listUsers',
        tags: ['users'],
        summary: 'List users',
        description: 'Users, newest first, in pages. For admins.',
        querystring: ListUsersQuery,
        response: { 200: ref(UserPage) },
      },
    },
    async ({ ctx, user, query }, reply) => reply.sendJson(await users.list(ctx, user, query)),
  )
}

export default routes
