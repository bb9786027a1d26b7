import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiKey, ApiKeyParams, UpdateApiKey } from '#schemas/api-keys.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { ApiKeyChanged, ApiKeyEnded, ApiKeyNotFound } from '#services/api-keys/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'api-keys:read', versioned: 'partly', errors: [ApiKeyNotFound] },
      schema: {
        operationId: 'getApiKey',
        tags: ['api-keys'],
        summary: 'Read an API key',
        description: 'Without its secret. `ETag` names its version.',
        params: ApiKeyParams,
        response: { 200: ref(ApiKey) },
      },
    },
    async (request, reply) => reply.sendVersioned(await apiKeys.get(request.asMember(), request.params.id)),
  )

  app.patch(
    '',
    {
      config: {
        permission: 'api-keys:write',
        requires: { maxAge: '10m' },
        versioned: true,
        errors: [ApiKeyNotFound, ApiKeyChanged, ApiKeyEnded],
      },
      schema: {
        operationId: 'updateApiKey',
        tags: ['api-keys'],
        summary: 'Change an API key',
        description:
          'It takes effect within a second. With `If-Match` the change applies only to the version that the `ETag` names.',
        params: ApiKeyParams,
        body: ref(UpdateApiKey),
        response: { 200: ref(ApiKey) },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await apiKeys.update(request.asMember(), params.id, body, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        forPersonOnly: true,
        permission: 'api-keys:write',
        versioned: true,
        errors: [ApiKeyNotFound, ApiKeyChanged],
      },
      schema: {
        operationId: 'revokeApiKey',
        tags: ['api-keys'],
        summary: 'Revoke an API key',
        description:
          'For good, and within a second. It stays in the list. Needs no recent proof of who you are, because a key that ' +
          'leaked must be stopped at once.',
        params: ApiKeyParams,
        response: { 204: NoContent('The key is revoked.') },
      },
    },
    async (request, reply) => {
      await apiKeys.revoke(request.asMember(), request.params.id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
