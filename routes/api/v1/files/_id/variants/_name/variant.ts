import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { BinaryContent } from '#schemas/files.ts'
import { NoContent } from '#schemas/primitives.ts'
import { FileBeingScanned, FileEmpty, FileNotFound, FileQuarantined } from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'
import { VariantUnavailable } from '#services/variants/errors.ts'
import * as variants from '#services/variants/variants.ts'

/** Makes the route of smaller copies of an image. */
export const variantOf =
  ({ variantParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '',
      {
        config: {
          ...allow('files:read'),
          content: true,
          errors: [
            ...[FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, VariantUnavailable],
            ...[FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('getFileVariant'),
          tags: ['files'],
          summary: `Read a smaller copy of one of ${whose}`,
          description:
            'Of an image: WebP, turned upright, without what the camera noted. It is made when it is first asked for: until ' +
            'it is there the answer is 202, and `Retry-After` says when to ask again.',
          params,
          response: { 200: BinaryContent, 202: NoContent('The copy is being made.') },
        },
      },
      async (request, reply) => {
        const { id, name } = request.params
        const copy = await variants.ofFile(request.inSpace(), id, name)
        return copy === undefined
          ? reply.code(202).header('retry-after', 1).send(undefined)
          : reply.sendContent(copy)
      },
    )
  }
