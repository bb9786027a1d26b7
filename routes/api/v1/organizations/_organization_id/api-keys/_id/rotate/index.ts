import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiKeyParams, NewApiKey, RotateApiKey } from '#schemas/api-keys.ts'
import { ref } from '#schemas/registry.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { ApiKeyEnded, ApiKeyNotFound } from '#services/api-keys/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'api-keys:write',
        requires: { maxAge: '10m' },
        versioned: true,
        idempotent: 'secret',
        errors: [ApiKeyNotFound, ApiKeyEnded],
      },
      schema: {
        operationId: 'rotateApiKey',
        tags: ['api-keys'],
        summary: 'Replace an API key',
        description:
          'Creates another key that may do the same, lives as long, and is disabled if the old one is. The old one is ' +
          'accepted for `grace` seconds more, and is seen to be in use by its `last_used_at`. `Location` is the URL of the new one.',
        params: ApiKeyParams,
        body: ref(RotateApiKey),
        response: { 201: ref(NewApiKey) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const key = await apiKeys.rotate(request.asMember(ctx), request.params.id, request.body)
        return { location: `/api/v1/organizations/${key.organization_id}/api-keys/${key.id}`, body: key }
      }),
  )
}

export default routes
