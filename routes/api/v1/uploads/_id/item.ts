import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { Upload } from '#schemas/uploads.ts'
import { append } from '#services/uploads/append.ts'
import { UploadNotFound } from '#services/uploads/errors.ts'
import * as uploads from '#services/uploads/uploads.ts'
import { APPEND_ERRORS } from '../errors.ts'

/** Makes the routes of one upload. */
export const item =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '',
      {
        config: { ...allow('files:write'), resumable: true, errors: APPEND_ERRORS },
        schema: {
          operationId: operation('getUpload'),
          tags: ['uploads'],
          summary: `Read how far the upload of one of ${whose} is`,
          description:
            '`GET` looks on. `HEAD` asks in order to go on: a request that is still bringing bytes ends, and what it ' +
            'brought counts.',
          params,
          response: { 200: ref(Upload) },
        },
      },
      async (request, reply) => {
        const look = request.method === 'HEAD' ? uploads.resume : uploads.get
        const upload = await look(request.inSpace(), request.params.id)
        return reply.describeUpload(upload).send(upload)
      },
    )

    app.patch(
      '',
      {
        config: { ...allow('files:write'), resumable: true, upload: true, errors: APPEND_ERRORS },
        schema: {
          operationId: operation('appendUpload'),
          tags: ['uploads'],
          summary: `Go on with the upload of one of ${whose}`,
          description:
            'The body goes on at `Upload-Offset`. Bytes that came before a cut count. With the last one the file gets ' +
            'its content.',
          params,
          response: { 204: NoContent('The bytes are stored durably.') },
        },
      },
      async (request, reply) => {
        const { params: path } = request
        const upload = await append(request.inSpace(), path.id, request.uploadPart())
        return reply.code(204).describeUpload(upload).send(undefined)
      },
    )

    app.delete(
      '',
      {
        config: { ...allow('files:write'), resumable: true, errors: [UploadNotFound] },
        schema: {
          operationId: operation('deleteUpload'),
          tags: ['uploads'],
          summary: `Give up the upload of one of ${whose}`,
          description: 'Its file is deleted, unless all of it has come.',
          params,
          response: { 204: NoContent('The upload is deleted.') },
        },
      },
      async (request, reply) => {
        await uploads.remove(request.inSpace(), request.params.id)
        return reply.code(204).send(undefined)
      },
    )
  }
