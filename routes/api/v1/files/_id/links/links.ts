import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CreateFileLink, FileLink } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { FileBeingScanned, FileEmpty, FileNotFound, FileQuarantined } from '#services/files/errors.ts'
import * as links from '#services/files/links.ts'
import { FilesDisabled } from '#services/storage/errors.ts'
import type { Space } from '../../space.ts'

/** Makes the route that makes links. */
export const linksOf =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:share'),
          errors: [FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, FilesDisabled],
        },
        schema: {
          operationId: operation('createFileLink'),
          tags: ['files'],
          summary: `Share one of ${whose}`,
          description:
            'Returns a URL that works without a token, until it expires, or the file is deleted or gets another content.',
          params,
          body: ref(CreateFileLink),
          response: { 200: ref(FileLink) },
        },
      },
      (request) => links.create(request.inSpace(), request.params.id, request.body),
    )
  }
