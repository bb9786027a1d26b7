import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { WebhookDelivery, WebhookDeliveryParams } from '#schemas/webhooks.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookDeliveryNotFound, WebhookDisabled, WebhookNotFound } from '#services/webhooks/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'webhooks:write',
        errors: [WebhookNotFound, WebhookDeliveryNotFound, WebhookDisabled],
      },
      schema: {
        operationId: 'retryWebhookDelivery',
        tags: ['webhooks'],
        summary: 'Send a delivery again',
        description: 'At once, whatever became of it. Should it fail, the schedule begins again.',
        params: WebhookDeliveryParams,
        response: { 200: ref(WebhookDelivery) },
      },
    },
    (request) => deliveries.retry(request.asMember(), request.params.id, request.params.delivery_id),
  )
}

export default routes
