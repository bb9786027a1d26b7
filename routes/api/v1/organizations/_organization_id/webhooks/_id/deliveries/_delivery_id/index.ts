import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { WebhookDeliveryDetails, WebhookDeliveryParams } from '#schemas/webhooks.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookDeliveryNotFound, WebhookNotFound } from '#services/webhooks/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'webhooks:read', errors: [WebhookNotFound, WebhookDeliveryNotFound] },
      schema: {
        operationId: 'getWebhookDelivery',
        tags: ['webhooks'],
        summary: 'Read a delivery',
        description: 'With its message, and what the receiver answered.',
        params: WebhookDeliveryParams,
        response: { 200: ref(WebhookDeliveryDetails) },
      },
    },
    (request) => deliveries.get(request.asMember(), request.params.id, request.params.delivery_id),
  )
}

export default routes
