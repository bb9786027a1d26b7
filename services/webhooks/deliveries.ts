import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  ListWebhookDeliveriesQuery,
  RecoveredDeliveries,
  WebhookDelivery,
  WebhookDeliveryDetails,
  WebhookDeliveryPage,
} from '#schemas/webhooks.ts'
import type { MemberContext } from '#services/members/membership.ts'
import type { WebhookContext } from './context.ts'
import { WebhookDeliveryNotFound, WebhookDisabled } from './errors.ts'
import { TEST_TYPE } from './event-types.ts'
import { enqueueAttempt, enqueueAttempts } from './jobs.ts'
import { bodyOf } from './message.ts'
import * as queries from './queries-of-deliveries.ts'
import {
  type DeliveryFilter,
  selectDeliveries,
  selectDeliveriesByIds,
  selectDeliveryPiece,
} from './queries-of-lists.ts'
import { resumeDeliveries, resumeDelivery } from './queries-of-waiting.ts'
import * as webhooks from './webhooks.ts'

/** Deliveries that one request has sent again. */
const RECOVERY_LIMIT = 200

/** Deliveries that a search by type looks at in one statement, and statements of one page. */
const WINDOW = 2000
const MAX_WINDOWS = 5

const listOf = (ctx: MemberContext, id: string) => `webhook-deliveries:${ctx.db.org}:${id}`

/**
 * Sends a message that means nothing, to see whether the receiver takes it.
 *
 * @throws WebhookNotFound, WebhookDisabled
 */
export async function test(ctx: MemberContext<WebhookContext>, id: string): Promise<WebhookDelivery> {
  const { db } = ctx
  const eventId = uuidv7()
  const body = bodyOf({
    id: eventId,
    type: TEST_TYPE,
    version: 1,
    organization_id: db.org,
    subject: { type: 'webhook', id },
    occurred_at: ctx.now().toISOString(),
    data: '{}',
  })
  const delivery = uuidv7()
  return transaction(ctx, async (tx) => {
    const { isSlow } = await usable(tx, id)
    const row = {
      org_id: db.org,
      id: delivery,
      endpoint_id: id,
      event_id: eventId,
      event_type: TEST_TYPE,
      body,
    }
    await queries.insertDeliveries(tx.db, [{ ...row, state: 'pending' }])
    await enqueueAttempt(tx, { org: db.org, delivery, number: 1 }, { endpoint: id, is_slow: isSlow })
    return present(await queries.selectDelivery(tx.db, id, delivery))
  })
}

/**
 * Returns a page of a webhook's deliveries, newest first. What is searched for by its type may be far away: then the page
 * is not full, and the next one goes on from there.
 *
 * @throws WebhookNotFound, InvalidCursor
 */
export async function list(
  ctx: MemberContext<Context & { cursors: Cursors }>,
  id: string,
  { limit, cursor, event_type, ...filters }: ListWebhookDeliveriesQuery,
): Promise<WebhookDeliveryPage> {
  await webhooks.get(ctx, id)
  const name = listOf(ctx, id)
  const before = cursor === undefined ? undefined : ctx.cursors.decode(name, cursor)
  const wanted = { ...filters, before, limit: limit + 1 }
  if (event_type === undefined)
    return ctx.cursors.page(name, await selectDeliveries(ctx.db, id, wanted), limit)
  const { ids, next } = await findOfType(ctx, id, { ...wanted, type: event_type, limit })
  const data = await selectDeliveriesByIds(ctx.db, id, ids)
  return { data, next_cursor: next === undefined ? null : ctx.cursors.encode(name, next) }
}

/** Looks through some windows, so that a page takes the same time however rare the type is (decision 104). */
async function findOfType(
  { db }: MemberContext,
  endpoint: string,
  { limit, type, ...filter }: DeliveryFilter & { readonly type: string; readonly limit: number },
): Promise<{ ids: string[]; next: string | undefined }> {
  const ids: string[] = []
  let { before } = filter
  for (let count = 1; ; count++) {
    const wanted = { ...filter, before, type, limit: limit + 1 - ids.length, window: WINDOW }
    const { found, looked, last } = await selectDeliveryPiece(db, endpoint, wanted)
    ids.push(...found)
    if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1] }
    if (looked < WINDOW || last === null) return { ids, next: undefined }
    if (count === MAX_WINDOWS) return { ids, next: last }
    before = last
  }
}

/**
 * Returns a delivery with its message and attempts.
 *
 * @throws WebhookNotFound, WebhookDeliveryNotFound
 */
export async function get(ctx: MemberContext, id: string, delivery: string): Promise<WebhookDeliveryDetails> {
  await webhooks.get(ctx, id)
  const found = present(await queries.selectDelivery(ctx.db, id, delivery))
  return { ...found, attempt_list: await queries.selectAttempts(ctx.db, delivery) }
}

/**
 * Makes another attempt at a delivery now, whatever became of it.
 *
 * @throws WebhookNotFound, WebhookDeliveryNotFound, WebhookDisabled
 */
export async function retry(
  ctx: MemberContext<WebhookContext>,
  id: string,
  delivery: string,
): Promise<WebhookDelivery> {
  return transaction(ctx, async (tx) => {
    const { isSlow } = await usable(tx, id)
    const { attempts } = present(await resumeDelivery(tx.db, id, delivery))
    const attempt = { org: tx.db.org, delivery, number: attempts + 1 }
    await enqueueAttempt(tx, attempt, { endpoint: id, is_slow: isSlow })
    return present(await queries.selectDelivery(tx.db, id, delivery))
  })
}

/**
 * Sends again what was given up or skipped since a time, oldest first.
 *
 * @throws WebhookNotFound, WebhookDisabled
 */
export async function recover(
  ctx: MemberContext<WebhookContext>,
  id: string,
  since: string,
): Promise<RecoveredDeliveries> {
  return transaction(ctx, async (tx) => {
    const { isSlow } = await usable(tx, id)
    const resumed = await resumeDeliveries(tx.db, id, { since, limit: RECOVERY_LIMIT })
    const { org } = tx.db
    const lane = { endpoint: id, is_slow: isSlow }
    await enqueueAttempts(
      tx,
      resumed.map(({ id: delivery, attempts }) => ({ ...lane, org, delivery, number: attempts + 1 })),
    )
    return { recovered: resumed.length, has_more: resumed.length === RECOVERY_LIMIT }
  })
}

async function usable(ctx: MemberContext, id: string): Promise<{ isSlow: boolean }> {
  const { status } = await webhooks.get(ctx, id)
  if (status === 'disabled') throw new WebhookDisabled()
  return { isSlow: status === 'failing' }
}

function present<T>(delivery: T | undefined): T {
  if (delivery === undefined) throw new WebhookDeliveryNotFound()
  return delivery
}
