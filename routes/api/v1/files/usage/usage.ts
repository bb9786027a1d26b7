import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { StorageUsage } from '#schemas/files.ts'
import { ref } from '#schemas/registry.ts'
import * as files from '#services/files/files.ts'
import type { Space } from '../space.ts'

/** Makes the route that tells how much space files take. */
export const usage =
  ({ params, whose, operation, allow }: Space): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '',
      {
        config: allow('files:read'),
        schema: {
          operationId: operation('getStorageUsage'),
          tags: ['files'],
          summary: `Read how much space ${whose} take`,
          description: 'And how much they may take.',
          ...(params && { params }),
          response: { 200: ref(StorageUsage) },
        },
      },
      (request) => files.usage(request.inSpace()),
    )
  }
