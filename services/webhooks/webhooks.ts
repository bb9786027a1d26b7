import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { targetFault } from '#lib/outbound/target.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  CreateWebhook,
  ListWebhooksQuery,
  RotateWebhookSecret,
  UpdateWebhook,
  Webhook,
  WebhookPage,
  WebhookSecret,
} from '#schemas/webhooks.ts'
import { namesOf } from '#services/events/define-event.ts'
import { emitting } from '#services/events/emit.ts'
import type { MemberContext } from '#services/members/membership.ts'
import * as memberRecords from '#services/members/records.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import type { WebhookContext } from './context.ts'
import { previousSecretColumn, secretColumn } from './encrypted.ts'
import {
  UnknownEventType,
  WebhookChanged,
  WebhookLimitReached,
  WebhookNotFound,
  WebhookUrlRefused,
} from './errors.ts'
import { isKnown } from './event-types.ts'
import { webhookCreated, webhookDeleted, webhookSecretRotated, webhookUpdated } from './events.ts'
import { purgeWebhookJob, skipLater } from './jobs.ts'
import * as queries from './queries.ts'
import { encryptionOf } from './secrets.ts'
import { newSecret } from './signature.ts'
import { skipWaiting } from './skipping.ts'

// Only members manage webhooks (decision 064), so everything here takes a member's context, which no key has.

const DEFAULT_GRACE_SECONDS = 86_400

const listOf = (ctx: MemberContext) => `webhooks:${ctx.db.org}`

/**
 * Creates a webhook.
 *
 * @throws WebhookUrlRefused, UnknownEventType, WebhookLimitReached, WebhooksNotConfigured
 */
export async function create(ctx: MemberContext<WebhookContext>, input: CreateWebhook): Promise<Webhook> {
  const { url, description = '', event_types } = input
  assertUsable(ctx, input)
  const id = uuidv7()
  const secret = secretColumn.encrypt(encryptionOf(ctx), id, newSecret())
  return transaction(ctx, async (tx) => {
    // Others wait, so that each counts those before it.
    await memberRecords.lock(tx)
    if ((await queries.countEndpoints(tx.db)) >= tx.webhooks.perOrganization) throw new WebhookLimitReached()
    const told = emitting(tx, webhookCreated, { subject: id, data: {} })
    return present(await queries.insertEndpoint(told, { id, url, description, event_types, secret }))
  })
}

/**
 * Returns a page of webhooks, newest first.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: MemberContext<Context & { cursors: Cursors }>,
  { limit, cursor }: ListWebhooksQuery,
): Promise<WebhookPage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(ctx), cursor)
  return ctx.cursors.page(
    listOf(ctx),
    await queries.selectEndpoints(ctx.db, { before, limit: limit + 1 }),
    limit,
  )
}

/**
 * Returns a webhook.
 *
 * @throws WebhookNotFound
 */
export async function get(ctx: MemberContext, id: string): Promise<Webhook> {
  return present(await queries.selectEndpoint(ctx.db, id))
}

/**
 * Changes a webhook. Disabling skips what waits; enabling begins with a clean slate.
 *
 * @throws WebhookNotFound, WebhookChanged, WebhookUrlRefused, UnknownEventType
 */
export async function update(
  ctx: MemberContext<WebhookContext>,
  id: string,
  changes: UpdateWebhook,
  versions: ExpectedVersions,
): Promise<Webhook> {
  assertUsable(ctx, changes)
  return transaction(ctx, async (tx) => {
    const told = emitting(tx, webhookUpdated, { subject: id, data: { changed: namesOf(changes) } })
    const webhook = await queries.updateEndpoint(told, id, changes, versions)
    if (webhook === undefined) return missing(tx, id)
    if (changes.enabled === false) await skipWaiting(tx, id, skipLater)
    return webhook
  })
}

/**
 * Deletes a webhook and its deliveries, also those that wait: nobody sees them any more, and a job deletes them.
 *
 * @throws WebhookNotFound, WebhookChanged
 */
export async function remove(
  ctx: MemberContext<WebhookContext>,
  id: string,
  versions: ExpectedVersions,
): Promise<void> {
  await transaction(ctx, async (tx) => {
    const told = emitting(tx, webhookDeleted, { subject: id, data: {} })
    if (!(await queries.markEndpointDeleted(told, id, versions))) await missing(tx, id)
    await tx.jobs.enqueue(tx.db, purgeWebhookJob, { org: tx.db.org, endpoint: id })
  })
}

/**
 * Returns the secret that signs messages.
 *
 * @throws WebhookNotFound, WebhooksNotConfigured
 */
export async function getSecret(ctx: MemberContext<WebhookContext>, id: string): Promise<WebhookSecret> {
  const stored = present(await queries.selectSecrets(ctx.db, id))
  const expiresAt = stored.previous_secret_expires_at
  const isPast = expiresAt !== null && Date.parse(expiresAt) <= ctx.now().getTime()
  return {
    secret: secretColumn.decrypt(encryptionOf(ctx), id, stored.secret),
    previous_expires_at: isPast ? null : expiresAt,
  }
}

/**
 * Replaces the secret; for a while both sign, and one before them no longer.
 *
 * @throws WebhookNotFound, WebhooksNotConfigured
 */
export async function rotateSecret(
  ctx: MemberContext<WebhookContext>,
  id: string,
  { grace = DEFAULT_GRACE_SECONDS }: RotateWebhookSecret,
): Promise<WebhookSecret> {
  const encryption = encryptionOf(ctx)
  const secret = newSecret()
  return transaction(ctx, async (tx) => {
    const stored = present(await queries.selectSecrets(tx.db, id))
    const old = secretColumn.decrypt(encryption, id, stored.secret)
    const told = emitting(tx, webhookSecretRotated, { subject: id, data: { grace } })
    const replaced = await queries.replaceSecret(told, id, {
      secret: secretColumn.encrypt(encryption, id, secret),
      previous: previousSecretColumn.encrypt(encryption, id, old),
      grace,
    })
    return { secret, previous_expires_at: present(replaced).previous_secret_expires_at }
  })
}

function assertUsable(
  { webhooks }: WebhookContext,
  { url, event_types: choices = [] }: Partial<Pick<CreateWebhook, 'url' | 'event_types'>>,
): void {
  const fault = url === undefined ? undefined : targetFault(url, webhooks.sending)
  if (fault !== undefined) {
    const { must, ...rest } = fault
    const errors = [{ pointer: '/body/url', message: `must ${must}`, ...rest }]
    throw new WebhookUrlRefused({ detail: `The URL must ${must}.`, errors })
  }
  const unknown = choices.find((choice) => !isKnown(choice, webhooks.eventTypes))
  if (unknown !== undefined)
    throw new UnknownEventType({ detail: `There is no event of the type ${unknown}.` })
}

/** Says why a change found no row: the webhook is gone, or is another version than expected. */
async function missing(ctx: MemberContext, id: string): Promise<never> {
  await get(ctx, id)
  throw new WebhookChanged()
}

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new WebhookNotFound()
  return found
}
