import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { FilePage, ListFilesQuery } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { UserParams } from '#schemas/users.ts'
import * as administration from '#services/files/administration.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listAdministeredUserFiles',
        tags: ['administration'],
        summary: "List a user's files as an admin",
        description:
          'Newest first, in pages: what they are called and how large they are, and never what is in them. For admins.',
        params: UserParams,
        querystring: ListFilesQuery,
        response: { 200: ref(FilePage) },
      },
    },
    ({ ctx, user, params, query }) => administration.listOfUser(ctx, user, params.id, query),
  )
}

export default routes
