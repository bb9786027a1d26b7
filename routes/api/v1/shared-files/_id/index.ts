import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BinaryContent, FileParams, SharedFileQuery } from '#schemas/files.ts'
import { InvalidLink } from '#services/files/errors.ts'
import * as links from '#services/files/links.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: {
        access: 'public',
        content: true,
        errors: [InvalidLink, FileStoreUnavailable, FilesDisabled],
      },
      schema: {
        operationId: 'getSharedFile',
        tags: ['files'],
        summary: 'Read a shared file',
        description: 'What a link of `createFileLink` leads to, as `getFileContent` sends it.',
        params: FileParams,
        querystring: SharedFileQuery,
        response: { 200: BinaryContent },
      },
    },
    async (request, reply) => {
      const content = await links.open(request.ctx, request.params.id, request.query.token)
      return reply.sendContent(content, { download: content.download, embeddable: true })
    },
  )
}

export default routes
