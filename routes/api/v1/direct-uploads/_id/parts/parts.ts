import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { ref } from '#schemas/registry.ts'
import { DirectUpload, SignUploadParts } from '#schemas/uploads.ts'
import { FilesDisabled } from '#services/storage/errors.ts'
import * as direct from '#services/uploads/direct.ts'
import { DirectUploadsUnavailable, InvalidUpload, UploadNotFound } from '#services/uploads/errors.ts'

/** Makes the route that signs URLs of parts. */
export const partsOf =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: {
          ...allow('files:write'),
          errors: [UploadNotFound, InvalidUpload, DirectUploadsUnavailable, FilesDisabled],
        },
        schema: {
          operationId: operation('signUploadParts'),
          tags: ['uploads'],
          summary: `Get URLs for parts of one of ${whose}`,
          description: 'For 15 minutes each; a part can be sent again until the upload is completed.',
          params,
          body: ref(SignUploadParts),
          response: { 200: ref(DirectUpload) },
        },
      },
      (request) => direct.sign(request.inSpace(), request.params.id, request.body),
    )
  }
