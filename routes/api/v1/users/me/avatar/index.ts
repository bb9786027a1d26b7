import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { BinaryContent, File } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import * as content from '#services/files/content.ts'
import { writeAvatar } from '#services/files/creation.ts'
import {
  FileBeingScanned,
  FileEmpty,
  FileNotFound,
  FileQuarantined,
  FileTooLarge,
  FileTypeNotAllowed,
  UploadInterrupted,
} from '#services/files/errors.ts'
import { FileStoreUnavailable, FilesDisabled, StorageQuotaReached } from '#services/storage/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.put(
    '',
    {
      config: {
        upload: true,
        errors: [
          ...[FileNotFound, FileTooLarge, FileTypeNotAllowed, UploadInterrupted],
          ...[StorageQuotaReached, FileStoreUnavailable, FilesDisabled],
        ],
      },
      schema: {
        operationId: 'setCurrentUserAvatar',
        tags: ['files'],
        summary: 'Set your avatar',
        description:
          'The body is a PNG, JPEG, GIF, WebP or AVIF image of at most 5 MiB. The avatar is one of your own files, with ' +
          'the purpose `avatar`, and is deleted like them.',
        response: { 200: ref(File) },
      },
    },
    (request) => writeAvatar(request.inSpace(), request.upload()),
  )

  app.get(
    '',
    {
      config: {
        content: true,
        errors: [
          ...[FileNotFound, FileEmpty, FileBeingScanned, FileQuarantined],
          ...[FileStoreUnavailable, FilesDisabled],
        ],
      },
      schema: {
        operationId: 'getCurrentUserAvatar',
        tags: ['files'],
        summary: 'Read your avatar',
        description: 'As `getFileContent` sends it.',
        response: { 200: BinaryContent },
      },
    },
    async (request, reply) => reply.sendContent(await content.readAvatar(request.inSpace())),
  )
}

export default routes
