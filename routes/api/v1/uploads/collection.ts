import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { ref } from '#schemas/registry.ts'
import { Upload } from '#schemas/uploads.ts'
import { TooManyEmptyFiles } from '#services/files/errors.ts'
import * as uploads from '#services/uploads/uploads.ts'
import { APPEND_ERRORS } from './errors.ts'

/** Makes the route that creates uploads. */
export const collection =
  ({ params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          resumable: true,
          upload: true,
          errors: [...APPEND_ERRORS, TooManyEmptyFiles],
        },
        schema: {
          operationId: operation('createUpload'),
          tags: ['uploads'],
          summary: `Begin to upload one of ${whose}`,
          description:
            'Creates a file, and an upload of its content that can be continued, by tus 1.0 (`Tus-Resumable`) or the ' +
            "IETF's draft (`Upload-Complete`). The body is empty, or the first bytes. `Location` is the upload's URL; " +
            'the name of the file is `filename` of `Upload-Metadata`.',
          ...(params && { params }),
          response: { 201: ref(Upload) },
        },
      },
      async (request, reply) => {
        const upload = await uploads.create(request.inSpace(), request.newUpload())
        const location = `${request.url.split('?', 1)[0]?.replace(/\/$/, '')}/${upload.id}`
        return reply.code(201).locate(location).describeUpload(upload).send(upload)
      },
    )
  }
