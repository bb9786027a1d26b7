import { type Static, Type } from '@sinclair/typebox'
import { Page, pageParameters } from './pagination.ts'
import { StringEnum, Uuid } from './primitives.ts'
import { ref } from './registry.ts'
import { Webhook } from './webhooks.ts'

const { id, organization_id, disabled_reason, failing_since, created_at } = Webhook.properties

const Status = (description: string) =>
  StringEnum(['failing', 'disabled'], { description, examples: ['failing'] })

/** A webhook that does not reach its receiver, as the service's admins see it: without secrets, path and messages. */
export const FailingWebhook = Type.Object(
  {
    ...{ id, organization_id },
    organization_name: Type.String({
      description: 'Name of the organization.',
      examples: ['Analytical Engines'],
    }),
    host: Type.String({
      description: 'Host of the URL, with its port if it has one; the rest may hold secrets.',
      examples: ['hooks.example.com'],
    }),
    status: Status('`failing` since the last attempt failed; nothing is sent while `disabled`.'),
    ...{ disabled_reason, failing_since },
    failed_attempts: Type.Integer({
      minimum: 0,
      description: 'Attempts that failed since the last success.',
      examples: [12],
    }),
    created_at,
  },
  {
    $id: 'FailingWebhook',
    additionalProperties: false,
    description: 'A webhook that fails or is disabled, as the admins of the service see it.',
  },
)
export type FailingWebhook = Static<typeof FailingWebhook>

/** Query of listFailingWebhooks. */
export const ListFailingWebhooksQuery = Type.Object(
  {
    ...pageParameters,
    status: Type.Optional(Status('Only those that fail, or only those that are disabled.')),
    organization_id: Type.Optional(
      Uuid('Only webhooks of this organization.', { 'x-normalize': 'lowercase' }),
    ),
  },
  { additionalProperties: false },
)
export type ListFailingWebhooksQuery = Static<typeof ListFailingWebhooksQuery>

export const FailingWebhookPage = Page(ref(FailingWebhook), 'FailingWebhookPage')
export type FailingWebhookPage = Static<typeof FailingWebhookPage>
