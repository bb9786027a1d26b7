import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { AdministeredUserPage, SearchUsersQuery } from '#schemas/administered-users.ts'
import { ref } from '#schemas/registry.ts'
import * as administration from '#services/users/administration.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', cost: 5, errors: [InvalidCursor] },
      schema: {
        operationId: 'searchUsers',
        tags: ['administration'],
        summary: 'Search users',
        description: 'By any part of their address or name, newest first, in pages. For admins.',
        querystring: SearchUsersQuery,
        response: { 200: ref(AdministeredUserPage) },
      },
    },
    ({ ctx, user, query }) => administration.search(ctx, user, query),
  )
}

export default routes
