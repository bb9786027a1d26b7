import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { RotateWebhookSecret, WebhookParams, WebhookSecret } from '#schemas/webhooks.ts'
import { WebhookNotFound, WebhooksNotConfigured } from '#services/webhooks/errors.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'webhooks:write',
        requires: { maxAge: '10m' },
        errors: [WebhookNotFound, WebhooksNotConfigured],
      },
      schema: {
        operationId: 'rotateWebhookSecret',
        tags: ['webhooks'],
        summary: "Replace a webhook's secret",
        description:
          'For `grace` seconds messages carry two signatures, by the old secret and by the new one.',
        params: WebhookParams,
        body: ref(RotateWebhookSecret),
        response: { 200: ref(WebhookSecret) },
      },
    },
    (request) => webhooks.rotateSecret(request.asMember(), request.params.id, request.body),
  )
}

export default routes
