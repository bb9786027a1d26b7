import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CreateWholeFileQuery, File } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { createWhole } from '#services/files/creation.ts'
import { FileTooLarge, UploadInterrupted } from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled, StorageQuotaReached } from '#services/storage/errors.ts'
import type { Space } from '../space.ts'

/** Makes the route that creates a file with its content. */
export const whole =
  ({ params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          upload: true,
          versioned: true,
          idempotent: true,
          errors: [
            ...[FileTooLarge, UploadInterrupted],
            ...[StorageQuotaReached, FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('createFileWithContent'),
          tags: ['files'],
          summary: `Create one of ${whose} with its content`,
          description:
            'The body is the content, `name` the name. The file is there when all of it is stored durably, and nothing is ' +
            'before. An `Idempotency-Key` is compared by the name and the length.',
          ...(params && { params }),
          querystring: CreateWholeFileQuery,
          response: { 201: ref(File) },
        },
      },
      async (request, reply) =>
        createWhole(request.inSpace(), request.query, request.upload(), (settle) =>
          reply.sendOnce(async (ctx) => {
            const file = await settle(request.inSpace(ctx))
            const files = request.url.split('?', 1)[0]?.replace(/\/content\/?$/, '')
            return { location: `${files}/${file.id}`, body: file }
          }),
        ),
    )
  }
