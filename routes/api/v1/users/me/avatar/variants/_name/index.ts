import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AvatarVariantParams, BinaryContent } from '#schemas/files.ts'
import { NoContent } from '#schemas/primitives.ts'
import { FileBeingScanned, FileEmpty, FileNotFound, FileQuarantined } from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'
import { VariantUnavailable } from '#services/variants/errors.ts'
import * as variants from '#services/variants/variants.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: {
        content: true,
        errors: [
          ...[FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined, VariantUnavailable],
          ...[FileStoreUnavailable, FilesDisabled],
        ],
      },
      schema: {
        operationId: 'getCurrentUserAvatarVariant',
        tags: ['files'],
        summary: 'Read a smaller copy of your avatar',
        description: 'As `getFileVariant` sends it.',
        params: AvatarVariantParams,
        response: { 200: BinaryContent, 202: NoContent('The copy is being made.') },
      },
    },
    async (request, reply) => {
      const copy = await variants.ofAvatar(request.inSpace(), request.params.name)
      return copy === undefined
        ? reply.code(202).header('retry-after', 1).send(undefined)
        : reply.sendContent(copy)
    },
  )
}

export default routes
