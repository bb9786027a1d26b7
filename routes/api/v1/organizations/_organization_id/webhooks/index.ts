import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ref } from '#schemas/registry.ts'
import { CreateWebhook, ListWebhooksQuery, Webhook, WebhookPage } from '#schemas/webhooks.ts'
import {
  UnknownEventType,
  WebhookLimitReached,
  WebhooksNotConfigured,
  WebhookUrlRefused,
} from '#services/webhooks/errors.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        permission: 'webhooks:write',
        forPersonOnly: true,
        versioned: true,
        idempotent: true,
        errors: [WebhookUrlRefused, UnknownEventType, WebhookLimitReached, WebhooksNotConfigured],
      },
      schema: {
        operationId: 'createWebhook',
        tags: ['webhooks'],
        summary: 'Create a webhook',
        description:
          'Has events posted to a URL. `getWebhookSecret` returns what they are signed with. `Location` is its URL.',
        params: OrganizationParams,
        body: ref(CreateWebhook),
        response: { 201: ref(Webhook) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const webhook = await webhooks.create(request.asMember(ctx), request.body)
        return {
          location: `/api/v1/organizations/${webhook.organization_id}/webhooks/${webhook.id}`,
          body: webhook,
        }
      }),
  )

  app.get(
    '',
    {
      config: { permission: 'webhooks:read', errors: [InvalidCursor] },
      schema: {
        operationId: 'listWebhooks',
        tags: ['webhooks'],
        summary: 'List webhooks',
        description: 'Webhooks of the organization, newest first, in pages.',
        params: OrganizationParams,
        querystring: ListWebhooksQuery,
        response: { 200: ref(WebhookPage) },
      },
    },
    (request) => webhooks.list(request.asMember(), request.query),
  )
}

export default routes
