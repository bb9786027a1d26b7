import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '#schemas/registry.ts'
import { RecoveredDeliveries, RecoverWebhook, WebhookParams } from '#schemas/webhooks.ts'
import * as deliveries from '#services/webhooks/deliveries.ts'
import { WebhookDisabled, WebhookNotFound } from '#services/webhooks/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { permission: 'webhooks:write', errors: [WebhookNotFound, WebhookDisabled] },
      schema: {
        operationId: 'recoverWebhookDeliveries',
        tags: ['webhooks'],
        summary: 'Send missed deliveries again',
        description:
          'Those that were given up, or skipped while the webhook was disabled, oldest first, 200 at a time.',
        params: WebhookParams,
        body: ref(RecoverWebhook),
        response: { 200: ref(RecoveredDeliveries) },
      },
    },
    (request) => deliveries.recover(request.asMember(), request.params.id, request.body.since),
  )
}

export default routes
