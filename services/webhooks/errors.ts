import { defineError } from '#lib/errors.ts'

export const WebhookNotFound = defineError({
  code: 'webhook_not_found',
  status: 404,
  title: 'Webhook not found',
  detail: 'The organization has no such webhook.',
})

export const WebhookChanged = defineError({
  code: 'webhook_changed',
  status: 412,
  title: 'Webhook changed',
  detail: 'The webhook is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const WebhookUrlRefused = defineError({
  code: 'webhook_url_refused',
  status: 400,
  title: 'Webhook URL refused',
  detail: 'Messages are not sent to this URL.',
})

export const UnknownEventType = defineError({
  code: 'unknown_event_type',
  status: 400,
  title: 'Unknown event type',
  detail: 'There is no event of this type.',
})

export const WebhookLimitReached = defineError({
  code: 'webhook_limit_reached',
  status: 409,
  title: 'Webhook limit reached',
  detail: 'The organization has as many webhooks as it may have.',
})

export const WebhookDisabled = defineError({
  code: 'webhook_disabled',
  status: 409,
  title: 'Webhook disabled',
  detail: 'The webhook is disabled: enable it first.',
})

export const WebhooksNotConfigured = defineError({
  code: 'webhooks_not_configured',
  status: 409,
  title: 'Webhooks not configured',
  detail: 'This service has no `encryption.keys`, without which it keeps no secrets of webhooks.',
})

export const WebhookDeliveryNotFound = defineError({
  code: 'webhook_delivery_not_found',
  status: 404,
  title: 'Delivery not found',
  detail: 'The webhook has no such delivery.',
})
