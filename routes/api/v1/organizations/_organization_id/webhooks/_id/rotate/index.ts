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
        // Rotating again would end the secret that receivers have.
        idempotent: 'secret',
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
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const secret = await webhooks.rotateSecret(request.asMember(ctx), request.params.id, request.body)
        return { status: 200, body: secret }
      }),
  )
}

export default routes
