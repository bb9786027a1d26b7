import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ApiKeyPage, CreateApiKey, ListApiKeysQuery, NewApiKey } from '#schemas/api-keys.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { ApiKeyLimitReached } from '#services/api-keys/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'api-keys:write',
        requires: { maxAge: '10m' },
        versioned: true,
        idempotent: 'secret',
        errors: [ApiKeyLimitReached],
      },
      schema: {
        operationId: 'createApiKey',
        tags: ['api-keys'],
        summary: 'Create an API key',
        description:
          'The answer holds the key itself, which is not shown again, and a repeated request with the same ' +
          '`Idempotency-Key` gets the same one. `Location` is its URL.',
        params: OrganizationParams,
        body: ref(CreateApiKey),
        response: { 201: ref(NewApiKey) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const key = await apiKeys.create(request.asMember(ctx), request.body)
        return { location: `/api/v1/organizations/${key.organization_id}/api-keys/${key.id}`, body: key }
      }),
  )

  app.get(
    '',
    {
      config: { permission: 'api-keys:read', errors: [InvalidCursor] },
      schema: {
        operationId: 'listApiKeys',
        tags: ['api-keys'],
        summary: 'List API keys',
        description:
          'Keys of the organization, newest first, in pages. Those that ended stay in the list for 90 days.',
        params: OrganizationParams,
        querystring: ListApiKeysQuery,
        response: { 200: ref(ApiKeyPage) },
      },
    },
    (request) => apiKeys.list(request.asMember(), request.query),
  )
}

export default routes
