import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { BinaryContent, File } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import * as content from '#services/files/content.ts'
import {
  FileBeingScanned,
  FileChanged,
  FileEmpty,
  FileNotFound,
  FileQuarantined,
  FileTooLarge,
  FileTypeNotAllowed,
  UploadInterrupted,
} from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled, StorageQuotaReached } from '#services/storage/errors.ts'

/** Makes the routes of a file's content. */
export const contentRoutes =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.put(
      '',
      {
        config: {
          ...allow('files:write'),
          upload: true,
          versioned: true,
          errors: [
            ...[FileNotFound, FileChanged, FileTooLarge, FileTypeNotAllowed, UploadInterrupted],
            ...[StorageQuotaReached, FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('putFileContent'),
          tags: ['files'],
          summary: `Send the content of one of ${whose}`,
          description:
            'The body is the content. The answer comes when all of it is stored durably; until then the file keeps the ' +
            'content that it had. With `If-Match` only to the version that the `ETag` of the file names.',
          params,
          response: { 200: ref(File) },
        },
      },
      async (request, reply) => {
        const versions = request.expectedVersions()
        const upload = request.upload()
        return reply.sendVersioned(
          await content.write(request.inSpace(), request.params.id, upload, versions),
        )
      },
    )

    app.get(
      '',
      {
        config: {
          ...allow('files:read'),
          content: true,
          errors: [
            ...[FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined],
            ...[FileStoreUnavailable, FilesDisabled],
          ],
        },
        schema: {
          operationId: operation('getFileContent'),
          tags: ['files'],
          summary: `Read the content of one of ${whose}`,
          description:
            'All of it, or with `Range` a part. `ETag` names these very bytes. What browsers could run is sent as ' +
            '`application/octet-stream`, and never shown.',
          params,
          response: { 200: BinaryContent },
        },
      },
      async (request, reply) => reply.sendContent(await content.read(request.inSpace(), request.params.id)),
    )
  }
