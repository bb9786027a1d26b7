import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Space } from '#routes/api/v1/files/space.ts'
import { File } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import { AvatarExists, FileNotFound } from '#services/files/errors.ts'
import * as files from '#services/files/files.ts'

/** Makes the route that takes a file out of the trash. */
export const restore =
  ({ fileParams: params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '',
      {
        config: { ...allow('files:delete'), versioned: true, errors: [FileNotFound, AvatarExists] },
        schema: {
          operationId: operation('restoreFile'),
          tags: ['files'],
          summary: `Restore one of ${whose}`,
          description: 'Takes it out of the trash; nothing happens to one that is not there.',
          params,
          response: { 200: ref(File) },
        },
      },
      async (request, reply) =>
        reply.sendVersioned(await files.restore(request.inSpace(), request.params.id)),
    )
  }
