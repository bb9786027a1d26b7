import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { StorageLimit, StorageLimitParams, UpdateStorageLimit } from '#schemas/administered-files.ts'
import { ref } from '#schemas/registry.ts'
import { UnknownSpace } from '#services/storage/errors.ts'
import * as limits from '#services/storage/limits.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'operator', errors: [UnknownSpace] },
      schema: {
        operationId: 'getStorageLimit',
        tags: ['administration'],
        summary: 'Read the space of a user or organization',
        description: 'How much its files take, and may take. For admins.',
        params: StorageLimitParams,
        response: { 200: ref(StorageLimit) },
      },
    },
    ({ ctx, user, params }) => limits.get(ctx, user, params.id),
  )

  app.patch(
    '',
    {
      config: { access: 'operator', errors: [UnknownSpace] },
      schema: {
        operationId: 'updateStorageLimit',
        tags: ['administration'],
        summary: 'Change the space of a user or organization',
        description:
          'In place of `files.quota_per_user` or `files.quota_per_organization`, from the next upload on. Who did it is ' +
          'recorded. For admins.',
        params: StorageLimitParams,
        body: ref(UpdateStorageLimit),
        response: { 200: ref(StorageLimit) },
      },
    },
    ({ ctx, user, params, body }) => limits.update(ctx, user, params.id, body),
  )
}

export default routes
