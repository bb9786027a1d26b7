import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { ref } from '#schemas/registry.ts'
import { CreateDirectUpload, DirectUpload } from '#schemas/uploads.ts'
import { FileTooLarge, TooManyEmptyFiles } from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled, StorageQuotaReached } from '#services/storage/errors.ts'
import * as direct from '#services/uploads/direct.ts'
import { DirectUploadsUnavailable } from '#services/uploads/errors.ts'

/** Makes the route that creates uploads to the store itself. */
export const collection =
  ({ params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          errors: [
            ...[DirectUploadsUnavailable, FileTooLarge, TooManyEmptyFiles, StorageQuotaReached],
            ...[FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('createDirectUpload'),
          tags: ['uploads'],
          summary: `Begin to send one of ${whose} to the store`,
          description:
            'Creates a file, and returns URLs to which the client sends its content in parts, past the service. Where the ' +
            'store takes nothing from clients: 404 `direct_uploads_unavailable`.',
          ...(params && { params }),
          body: ref(CreateDirectUpload),
          response: { 200: ref(DirectUpload) },
        },
      },
      (request) => direct.create(request.inSpace(), request.body),
    )
  }
