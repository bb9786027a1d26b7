import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { CreateFile, File, FilePage, ListFilesQuery } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { TooManyEmptyFiles } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'
import { FilesDisabled } from '#services/storage/errors.ts'
import type { Space } from './space.ts'

/** Makes the routes of all files. */
export const collection =
  ({ params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          versioned: true,
          idempotent: true,
          errors: [TooManyEmptyFiles, FilesDisabled],
        },
        schema: {
          operationId: operation('createFile'),
          tags: ['files'],
          summary: `Create one of ${whose}`,
          description: 'It is `pending` until it gets its content. `Location` is its URL.',
          ...(params && { params }),
          body: ref(CreateFile),
          response: { 201: ref(File) },
        },
      },
      async (request, reply) =>
        reply.sendOnce(async (ctx) => {
          const file = await files.create(request.inSpace(ctx), request.body)
          return { location: `${request.url.split('?', 1)[0]}/${file.id}`, body: file }
        }),
    )

    app.get(
      '',
      {
        config: { ...allow('files:read'), errors: [InvalidCursor] },
        schema: {
          operationId: operation('listFiles'),
          tags: ['files'],
          summary: `List ${whose}`,
          description: 'Newest first, in pages: those in the trash, or the others.',
          ...(params && { params }),
          querystring: ListFilesQuery,
          response: { 200: ref(FilePage) },
        },
      },
      (request) => files.list(request.inSpace(), request.query),
    )
  }
