import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { DeleteFileQuery, File, UpdateFile } from '#schemas/files.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { FileChanged, FileNotFound } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'
import type { Space } from '../space.ts'

/** Makes the routes of one file. */
export const item =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '',
      {
        config: { ...allow('files:read'), versioned: true, errors: [FileNotFound] },
        schema: {
          operationId: operation('getFile'),
          tags: ['files'],
          summary: `Read about one of ${whose}`,
          description: 'In the trash or not. `ETag` names its version.',
          params,
          response: { 200: ref(File) },
        },
      },
      async (request, reply) => reply.sendVersioned(await files.get(request.inSpace(), request.params.id)),
    )

    app.patch(
      '',
      {
        config: { ...allow('files:write'), versioned: true, errors: [FileNotFound, FileChanged] },
        schema: {
          operationId: operation('updateFile'),
          tags: ['files'],
          summary: `Rename one of ${whose}`,
          description: 'With `If-Match` the change applies only to the version that the `ETag` names.',
          params,
          body: ref(UpdateFile),
          response: { 200: ref(File) },
        },
      },
      async (request, reply) => {
        const { params: path, body } = request
        const versions = request.expectedVersions()
        return reply.sendVersioned(await files.update(request.inSpace(), path.id, body, versions))
      },
    )

    app.delete(
      '',
      {
        config: { ...allow('files:delete'), versioned: true, errors: [FileNotFound, FileChanged] },
        schema: {
          operationId: operation('deleteFile'),
          tags: ['files'],
          summary: `Delete one of ${whose}`,
          description:
            'It goes to the trash, from which it can be restored for a while; its space is free when it is deleted for ' +
            'good. With `If-Match` only the version that the `ETag` names.',
          params,
          querystring: DeleteFileQuery,
          response: { 204: NoContent('The file is deleted.') },
        },
      },
      async (request, reply) => {
        const { permanently } = request.query
        const versions = request.expectedVersions()
        await files.remove(request.inSpace(), request.params.id, { permanently, versions })
        return reply.code(204).send(undefined)
      },
    )
  }
