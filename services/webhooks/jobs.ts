import type { Database } from '#lib/database/database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { defineJob, type Jobs } from '#lib/jobs/jobs.ts'
import type { WebhookContext } from './context.ts'
import { type Attempt, deliver, type Lane } from './deliver.ts'
import { deleteEndpoint } from './queries.ts'
import { deleteDeliveries, skipPending } from './queries-of-waiting.ts'
import { SKIPPED_AT_ONCE, type SkipLater } from './skipping.ts'

/** Options of both lanes: a run is one attempt, and is repeated only if it could not be recorded. */
const common = {
  retryLimit: 10,
  retryDelay: 5,
  timeout: 120,
  canRun: ({ encryption }: WebhookContext) => encryption !== undefined,
}

/** Attempts at endpoints that answer: one that stops answering holds few places, until its first attempt has failed. */
export const deliverWebhookJob = defineJob({
  ...common,
  name: 'deliver_webhook',
  concurrency: 16,
  groupConcurrency: 2,
  handler: (ctx: WebhookContext, attempt: Attempt, run) =>
    deliver(ctx, attempt, { run, enqueue: enqueueAttempt, skipLater, isHealthyLane: true }),
})

/** Attempts at endpoints that failed last, or were slow: they hold up nobody but each other. */
export const deliverSlowlyJob = defineJob({
  ...common,
  name: 'deliver_webhook_slow',
  concurrency: 4,
  groupConcurrency: 1,
  handler: (ctx: WebhookContext, attempt: Attempt, run) =>
    deliver(ctx, attempt, { run, enqueue: enqueueAttempt, skipLater, isHealthyLane: false }),
})

/** A webhook of an organization. */
interface Place {
  readonly org: string
  readonly endpoint: string
}

/** Deliveries that one statement deletes, each with its attempts. */
const DELETED_AT_ONCE = 500

/** Skips what waits for a disabled webhook after a delivery; ends when it is enabled. */
export const skipDeliveriesJob = defineJob({
  name: 'skip_webhook_deliveries',
  handler: async (ctx: WebhookContext, { org, endpoint, after }: Place & { readonly after: string }, run) => {
    const db = new OrgDatabase(ctx.db, org)
    let last: string | null = after
    while (last !== null) {
      run.signal.throwIfAborted()
      const batch: Awaited<ReturnType<typeof skipPending>> = await skipPending(db, endpoint, {
        after: last,
        limit: SKIPPED_AT_ONCE,
      })
      last = batch.last
    }
  },
})

export const skipLater: SkipLater = async (ctx, endpoint, after) => {
  await ctx.jobs.enqueue(ctx.db, skipDeliveriesJob, { org: ctx.db.org, endpoint, after })
}

/** Deletes what a deleted webhook had, and then the webhook. */
export const purgeWebhookJob = defineJob({
  name: 'purge_webhook',
  handler: async (ctx: WebhookContext, { org, endpoint }: Place, { signal }) => {
    const db = new OrgDatabase(ctx.db, org)
    do signal.throwIfAborted()
    while ((await deleteDeliveries(db, endpoint, DELETED_AT_ONCE)) === DELETED_AT_ONCE)
    await deleteEndpoint(db, endpoint)
  },
})

/** Enqueues an attempt in the lane of its endpoint. */
export async function enqueueAttempt(
  ctx: { readonly db: Database; readonly jobs: Jobs },
  attempt: Attempt,
  { endpoint, is_slow, at }: Lane,
): Promise<void> {
  const options = { group: endpoint, ...(at === undefined ? {} : { startAfter: at }) }
  await ctx.jobs.enqueue(ctx.db, is_slow ? deliverSlowlyJob : deliverWebhookJob, attempt, options)
}

/** Enqueues attempts that are due, each in the lane of its endpoint. */
export async function enqueueAttempts(
  { db, jobs }: { readonly db: Database; readonly jobs: Jobs },
  attempts: readonly (Attempt & Omit<Lane, 'at'>)[],
): Promise<void> {
  const entriesOf = (isSlow: boolean) =>
    attempts
      .filter(({ is_slow }) => is_slow === isSlow)
      .map(({ org, delivery, number, endpoint }) => ({ data: { org, delivery, number }, group: endpoint }))
  await jobs.enqueueAll(db, deliverWebhookJob, entriesOf(false))
  await jobs.enqueueAll(db, deliverSlowlyJob, entriesOf(true))
}
