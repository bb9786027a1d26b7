import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { WebhookDelivery, WebhookParams } from '#schemas/webhooks.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookDisabled, WebhookNotFound } from '#services/webhooks/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { permission: 'webhooks:write', idempotent: true, errors: [WebhookNotFound, WebhookDisabled] },
      schema: {
        operationId: 'testWebhook',
        tags: ['webhooks'],
        summary: 'Test a webhook',
        description: 'Sends a message of the type `webhooks.test`. `Location` is the URL of its delivery.',
        params: WebhookParams,
        response: { 201: ref(WebhookDelivery) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const { organization_id, id } = request.params
        const delivery = await deliveries.test(request.asMember(ctx), id)
        const url = `/api/v1/organizations/${organization_id}/webhooks/${id}/deliveries/${delivery.id}`
        return { location: url, body: delivery }
      }),
  )
}

export default routes
