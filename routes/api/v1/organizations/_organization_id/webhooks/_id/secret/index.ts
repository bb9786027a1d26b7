import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { WebhookParams, WebhookSecret } from '#schemas/webhooks.ts'
import { WebhookNotFound, WebhooksNotConfigured } from '#services/webhooks/errors.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: {
        permission: 'webhooks:write',
        requires: { maxAge: '10m' },
        errors: [WebhookNotFound, WebhooksNotConfigured],
      },
      schema: {
        operationId: 'getWebhookSecret',
        tags: ['webhooks'],
        summary: "Read a webhook's secret",
        description: 'With it the receiver verifies that messages are from this service.',
        params: WebhookParams,
        response: { 200: ref(WebhookSecret) },
      },
    },
    (request) => webhooks.getSecret(request.asMember(), request.params.id),
  )
}

export default routes
