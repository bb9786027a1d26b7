import type { Database } from '#lib/database/database.ts'
import { defineJob, type Jobs } from '#lib/jobs/jobs.ts'
import type { WebhookContext } from './context.ts'
import { type Attempt, deliver, type Lane } from './deliver.ts'

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
    deliver(ctx, attempt, { run, enqueue: enqueueAttempt, isHealthyLane: true }),
})

/** Attempts at endpoints that failed last, or were slow: they hold up nobody but each other. */
export const deliverSlowlyJob = defineJob({
  ...common,
  name: 'deliver_webhook_slow',
  concurrency: 4,
  groupConcurrency: 1,
  handler: (ctx: WebhookContext, attempt: Attempt, run) =>
    deliver(ctx, attempt, { run, enqueue: enqueueAttempt, isHealthyLane: false }),
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
