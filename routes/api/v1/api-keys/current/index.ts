import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ApiKey } from '#schemas/api-keys.ts'
import { ref } from '#schemas/registry.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { OrganizationSuspended } from '#services/organizations/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { access: 'api_key', errors: [OrganizationSuspended] },
      schema: {
        operationId: 'getCurrentApiKey',
        tags: ['api-keys'],
        summary: 'Read the API key that asks',
        description: 'For programs: what their key may do, where, and until when.',
        response: { 200: ref(ApiKey) },
      },
    },
    ({ ctx, apiKey }) => apiKeys.getCurrent(ctx, apiKey),
  )
}

export default routes
