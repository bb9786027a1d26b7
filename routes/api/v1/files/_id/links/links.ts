import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { CreateFileLink, FileLink } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { FileBeingScanned, FileEmpty, FileNotFound, FileQuarantined } from '#services/files/errors.ts'
import { FilesDisabled } from '#services/storage/errors.ts'
import { VariantUnavailable } from '#services/variants/errors.ts'
import * as links from '#services/variants/links.ts'

/** Makes the route that makes links. */
export const linksOf =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:share'),
          errors: [
            ...[FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, FilesDisabled],
            VariantUnavailable,
          ],
        },
        schema: {
          operationId: operation('createFileLink'),
          tags: ['files'],
          summary: `Share one of ${whose}`,
          description:
            'Returns a URL that works without a token, until it expires, or the file is deleted or gets another content. ' +
            'With `variant` it leads to a smaller copy of an image alone.',
          params,
          body: ref(CreateFileLink),
          response: { 200: ref(FileLink) },
        },
      },
      (request) => links.create(request.inSpace(), request.params.id, request.body),
    )
  }
