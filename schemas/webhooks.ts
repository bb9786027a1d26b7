import { type Static, Type } from '@sinclair/typebox'
import { organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const URL_EXAMPLE = 'https://hooks.example.com/groundwork'

const Url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Where messages are posted to: a host on the internet, by https.',
  examples: [URL_EXAMPLE],
})

const Description = Type.String({ maxLength: 500, description: 'A note for people.', examples: ['Billing'] })

const EventType = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^([*]|[a-z][a-z_]*[.]([*]|[a-z][a-z_]*))$',
  'x-message': 'must be a type such as projects.created, all of a domain such as projects.*, or *',
  description: 'A type, all of a domain (`projects.*`), or all (`*`).',
  examples: ['projects.*'],
})

const EventTypes = Type.Array(EventType, {
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  description: 'Types of the events to be told of; types that are added later count for `*`.',
  examples: [['projects.*']],
})

const Enabled = Type.Boolean({
  description: 'Whether messages are sent. Those of a time without can be recovered.',
  examples: [true],
})

const DisabledReason = Type.Unsafe<'requested' | 'gone' | 'failing' | null>({
  type: ['string', 'null'],
  enum: ['requested', 'gone', 'failing', null],
  description:
    'Why it is disabled: by request, because the receiver answered 410, or because it failed for days.',
  examples: [null],
})

/** Where an organization wants to hear of its events. */
export const Webhook = Type.Object(
  {
    id: Uuid('Identifier of the webhook (UUIDv7).'),
    organization_id: Uuid('Organization that the webhook belongs to.'),
    url: Type.String({ description: 'Where messages are posted to.', examples: [URL_EXAMPLE] }),
    description: Type.String({ description: 'A note for people.', examples: ['Billing'] }),
    event_types: Type.Array(Type.String({ description: 'A type.', examples: ['projects.*'] }), {
      description: 'Types of the events to be told of.',
    }),
    status: StringEnum(['active', 'failing', 'disabled'], {
      description: '`failing` since the last attempt failed; nothing is sent while `disabled`.',
      examples: ['active'],
    }),
    disabled_reason: DisabledReason,
    failing_since: Nullable(Timestamp('When an attempt failed first since the last success.')),
    created_at: Timestamp('When the webhook was created.'),
    updated_at: Timestamp('When the webhook was last changed; it grows with every change.'),
  },
  { $id: 'Webhook', additionalProperties: false, description: 'A webhook of an organization.' },
)
export type Webhook = Static<typeof Webhook>

/** Body of createWebhook. */
export const CreateWebhook = Type.Object(
  { url: Url, description: Type.Optional(Description), event_types: EventTypes },
  { $id: 'CreateWebhook', additionalProperties: false, description: 'A new webhook.' },
)
export type CreateWebhook = Static<typeof CreateWebhook>

/** Body of updateWebhook. */
export const UpdateWebhook = Type.Object(
  {
    url: Type.Optional(Url),
    description: Type.Optional(Description),
    event_types: Type.Optional(EventTypes),
    enabled: Type.Optional(Enabled),
  },
  {
    $id: 'UpdateWebhook',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to a webhook; at least one.',
    examples: [{ enabled: true }],
  },
)
export type UpdateWebhook = Static<typeof UpdateWebhook>

/** Secrets of a webhook. */
export const WebhookSecret = Type.Object(
  {
    secret: Type.String({
      description: 'Signs messages (Standard Webhooks).',
      examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    }),
    previous_expires_at: Nullable(Timestamp('Until when the previous secret signs too.')),
  },
  { $id: 'WebhookSecret', additionalProperties: false, description: 'The secret of a webhook.' },
)
export type WebhookSecret = Static<typeof WebhookSecret>

/** Body of rotateWebhookSecret. */
export const RotateWebhookSecret = Type.Object(
  {
    grace: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        description:
          'Seconds for which messages are signed by the old secret as well, by default 86400 (a day).',
        examples: [86_400],
      }),
    ),
  },
  { $id: 'RotateWebhookSecret', additionalProperties: false, description: 'How to replace a secret.' },
)
export type RotateWebhookSecret = Static<typeof RotateWebhookSecret>

const DeliveryState = StringEnum(['pending', 'delivered', 'failed', 'skipped'], {
  description: '`failed` after the last attempt; `skipped` while the webhook was disabled.',
  examples: ['delivered'],
})

const deliveryProperties = {
  id: Uuid('Identifier of the delivery (UUIDv7).'),
  event_id: Uuid('`webhook-id` of its messages, the same for every attempt.'),
  event_type: Type.String({ description: 'Type of the event.', examples: ['projects.created'] }),
  state: DeliveryState,
  attempts: Type.Integer({ description: 'How many attempts there were.', examples: [1] }),
  next_attempt_at: Nullable(Timestamp('When the next attempt is due.')),
  created_at: Timestamp('When the delivery was created.'),
}

/** An event for a webhook. */
export const WebhookDelivery = Type.Object(deliveryProperties, {
  $id: 'WebhookDelivery',
  additionalProperties: false,
  description: 'An event for a webhook.',
})
export type WebhookDelivery = Static<typeof WebhookDelivery>

const WebhookAttempt = Type.Object(
  {
    number: Type.Integer({ description: 'Counts from 1.', examples: [1] }),
    attempted_at: Timestamp('When it began.'),
    duration_ms: Type.Integer({ description: 'Milliseconds that it took.', examples: [84] }),
    status: Nullable(Type.Integer({ description: 'Status of the answer.', examples: [204] })),
    error: Nullable(
      Type.String({ description: 'Why there is no answer, in a word.', examples: ['timeout'] }),
    ),
    excerpt: Nullable(
      Type.String({ description: 'Beginning of the answer, up to 1 KiB.', examples: ['OK'] }),
    ),
  },
  { additionalProperties: false, description: 'An attempt at a delivery; kept for 14 days.' },
)
export type WebhookAttempt = Static<typeof WebhookAttempt>

/** A delivery with its message and what became of it. */
export const WebhookDeliveryDetails = Type.Object(
  {
    ...deliveryProperties,
    body: Type.String({
      description: 'The message, as it is sent.',
      examples: ['{"type":"projects.created"}'],
    }),
    attempt_list: Type.Array(WebhookAttempt, { description: 'The newest attempts, oldest first.' }),
  },
  { $id: 'WebhookDeliveryDetails', additionalProperties: false, description: 'A delivery and its attempts.' },
)
export type WebhookDeliveryDetails = Static<typeof WebhookDeliveryDetails>

/** Body of recoverWebhookDeliveries. */
export const RecoverWebhook = Type.Object(
  { since: Timestamp('Deliveries that were created at this time or later.') },
  { $id: 'RecoverWebhook', additionalProperties: false, description: 'What to send again.' },
)
export type RecoverWebhook = Static<typeof RecoverWebhook>

/** Answer of recoverWebhookDeliveries. */
export const RecoveredDeliveries = Type.Object(
  {
    recovered: Type.Integer({ description: 'How many are sent again.', examples: [12] }),
    has_more: Type.Boolean({ description: 'Whether there are more: ask again.', examples: [false] }),
  },
  { $id: 'RecoveredDeliveries', additionalProperties: false, description: 'What is sent again.' },
)
export type RecoveredDeliveries = Static<typeof RecoveredDeliveries>

const webhookParameter = {
  ...organizationParameter,
  id: Uuid('Identifier of the webhook.', { 'x-normalize': 'lowercase' }),
}

/** Path parameters of one webhook. */
export const WebhookParams = Type.Object(webhookParameter, { additionalProperties: false })

/** Path parameters of one delivery. */
export const WebhookDeliveryParams = Type.Object(
  { ...webhookParameter, delivery_id: Uuid('Identifier of the delivery.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of lists of webhooks. */
export const ListWebhooksQuery = Type.Object(pageParameters, { additionalProperties: false })
export type ListWebhooksQuery = Static<typeof ListWebhooksQuery>

/** Query of listWebhookDeliveries: any of the filters together. */
export const ListWebhookDeliveriesQuery = Type.Object(
  {
    ...pageParameters,
    state: Type.Optional(DeliveryState),
    event_type: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^[a-z][a-z_]*[.]([*]|[a-z][a-z_]*)$',
        'x-message': 'must be a type such as projects.created, or all of a domain such as projects.*',
        description: 'Only events of this type, or of all types of a domain (`projects.*`).',
        examples: ['projects.*'],
      }),
    ),
    event_id: Type.Optional(
      Uuid('Only this event: the `webhook-id` that the receiver had.', { 'x-normalize': 'lowercase' }),
    ),
    since: Type.Optional(Timestamp('Only deliveries that were created at this time or later.')),
    until: Type.Optional(Timestamp('Only deliveries that were created before this time.')),
  },
  { additionalProperties: false },
)
export type ListWebhookDeliveriesQuery = Static<typeof ListWebhookDeliveriesQuery>

export const WebhookPage = Page(ref(Webhook), 'WebhookPage')
export type WebhookPage = Static<typeof WebhookPage>

export const WebhookDeliveryPage = Page(ref(WebhookDelivery), 'WebhookDeliveryPage')
export type WebhookDeliveryPage = Static<typeof WebhookDeliveryPage>
