import { Type } from '@sinclair/typebox'
import { StringEnum } from '#schemas/primitives.ts'
import { changedFields, defineEvent } from '#services/events/define-event.ts'

const webhook = { of: 'organization', subject: 'webhook' } as const

export const webhookCreated = defineEvent({
  ...webhook,
  type: 'webhooks.created',
  description: 'A webhook was created.',
  data: {},
})

export const webhookUpdated = defineEvent({
  ...webhook,
  type: 'webhooks.updated',
  description: 'A webhook was changed, disabled or enabled.',
  data: { changed: changedFields('url', 'description', 'event_types', 'enabled') },
})

export const webhookDeleted = defineEvent({
  ...webhook,
  type: 'webhooks.deleted',
  description: 'A webhook was deleted, and its deliveries with it.',
  data: {},
})

export const webhookSecretRotated = defineEvent({
  ...webhook,
  type: 'webhooks.secret_rotated',
  description: 'A webhook has another secret.',
  data: { grace: Type.Integer({ description: 'Seconds for which the old secret signs too.' }) },
})

export const webhookStopped = defineEvent({
  ...webhook,
  type: 'webhooks.disabled',
  description: 'The service disabled a webhook, because its receiver does not take messages.',
  data: {
    reason: StringEnum(['gone', 'failing'], { description: 'The receiver said so, or has failed for days.' }),
  },
})
