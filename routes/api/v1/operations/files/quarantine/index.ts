import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ListQuarantinedFilesQuery, QuarantinedFilePage } from '#schemas/administered-files.ts'
import { ref } from '#schemas/registry.ts'
import * as quarantine from '#services/files/quarantine.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listQuarantinedFiles',
        tags: ['administration'],
        summary: 'List the files in quarantine',
        description:
          'Files of all users and organizations whose content nobody can read, because the malware scanner found something ' +
          'or could not look, newest first, in pages. For admins.',
        querystring: ListQuarantinedFilesQuery,
        response: { 200: ref(QuarantinedFilePage) },
      },
    },
    ({ ctx, user, query }) => quarantine.list(ctx, user, query),
  )
}

export default routes
