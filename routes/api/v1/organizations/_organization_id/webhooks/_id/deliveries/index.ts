import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { ref } from '#schemas/registry.ts'
import { ListWebhookDeliveriesQuery, WebhookDeliveryPage, WebhookParams } from '#schemas/webhooks.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookNotFound } from '#services/webhooks/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'webhooks:read', errors: [WebhookNotFound, InvalidCursor] },
      schema: {
        operationId: 'listWebhookDeliveries',
        tags: ['webhooks'],
        summary: 'List deliveries',
        description:
          'Deliveries of the webhook, newest first, in pages. They are kept for 30 days. A page of some types may hold ' +
          'fewer than `limit`, or none, while `next_cursor` goes on.',
        params: WebhookParams,
        querystring: ListWebhookDeliveriesQuery,
        response: { 200: ref(WebhookDeliveryPage) },
      },
    },
    (request) => deliveries.list(request.asMember(), request.params.id, request.query),
  )
}

export default routes
