import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { UpdateWebhook, Webhook, WebhookParams } from '#schemas/webhooks.ts'
import {
  UnknownEventType,
  WebhookChanged,
  WebhookNotFound,
  WebhookUrlRefused,
} from '#services/webhooks/errors.ts'
import * as webhooks from '#services/webhooks/webhooks.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'webhooks:read', versioned: 'partly', errors: [WebhookNotFound] },
      schema: {
        operationId: 'getWebhook',
        tags: ['webhooks'],
        summary: 'Read a webhook',
        description: '`ETag` names its version, which attempts do not change.',
        params: WebhookParams,
        response: { 200: ref(Webhook) },
      },
    },
    async (request, reply) => reply.sendVersioned(await webhooks.get(request.asMember(), request.params.id)),
  )

  app.patch(
    '',
    {
      config: {
        permission: 'webhooks:write',
        forPersonOnly: true,
        versioned: true,
        errors: [WebhookNotFound, WebhookChanged, WebhookUrlRefused, UnknownEventType],
      },
      schema: {
        operationId: 'updateWebhook',
        tags: ['webhooks'],
        summary: 'Change a webhook',
        description:
          'Disabling it skips what waits; enabling it again forgets its failures. With `If-Match` the change applies ' +
          'only to the version that the `ETag` names.',
        params: WebhookParams,
        body: ref(UpdateWebhook),
        response: { 200: ref(Webhook) },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await webhooks.update(request.asMember(), params.id, body, versions))
    },
  )

  app.delete(
    '',
    {
      config: { permission: 'webhooks:write', versioned: true, errors: [WebhookNotFound, WebhookChanged] },
      schema: {
        operationId: 'deleteWebhook',
        tags: ['webhooks'],
        summary: 'Delete a webhook',
        description:
          'Its deliveries are deleted with it, and cancelled. With `If-Match` only the version that the `ETag` names.',
        params: WebhookParams,
        response: { 204: NoContent('The webhook is deleted.') },
      },
    },
    async (request, reply) => {
      await webhooks.remove(request.asMember(), request.params.id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
