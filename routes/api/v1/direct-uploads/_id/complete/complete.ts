import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { File } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { FileNotFound } from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'
import * as direct from '#services/uploads/direct.ts'
import { DirectUploadsUnavailable, UploadIncomplete, UploadNotFound } from '#services/uploads/errors.ts'

/** Makes the route that completes uploads to the store itself. */
export const completionOf =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          errors: [
            ...[UploadNotFound, UploadIncomplete, FileNotFound, DirectUploadsUnavailable],
            ...[FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('completeUpload'),
          tags: ['uploads'],
          summary: `Complete one of ${whose} in the store`,
          description:
            'Says that all parts have been sent. The file is `pending` until the service has read its content, which takes as ' +
            'long as that; nobody can change it any more.',
          params,
          response: { 202: ref(File) },
        },
      },
      async (request, reply) =>
        reply.code(202).send(await direct.complete(request.inSpace(), request.params.id)),
    )
  }
