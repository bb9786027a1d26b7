import { transaction } from '#lib/database/database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { JobRun } from '#lib/jobs/jobs.ts'
import { OutboundError } from '#lib/outbound/outbound-error.ts'
import { post } from '#lib/outbound/post.ts'
import type { WebhookContext } from './context.ts'
import { noteFailure } from './health.ts'
import * as queries from './queries-of-deliveries.ts'
import { nextAttemptAt } from './schedule.ts'
import { signingSecrets } from './secrets.ts'
import { signedHeaders } from './signature.ts'
import { type SkipLater, skipWaiting } from './skipping.ts'

/** An attempt at a delivery: data of its job. */
export interface Attempt {
  readonly org: string
  readonly delivery: string
  /** 1 for the first. */
  readonly number: number
}

/** Where an attempt waits. */
export interface Lane {
  readonly endpoint: string
  readonly is_slow: boolean
  readonly at?: Date
}

interface DeliverOptions {
  readonly run: Pick<JobRun, 'signal' | 'complete'>
  enqueue(ctx: WebhookContext, attempt: Attempt, lane: Lane): Promise<void>
  readonly isHealthyLane: boolean
  readonly skipLater: SkipLater
}

/** A delivery that is due, and how it is made. */
interface Due {
  readonly work: queries.Work
  readonly options: DeliverOptions
}

type OrgWork = WebhookContext & { readonly db: OrgDatabase }

/** How an attempt ended. */
interface Outcome {
  readonly attemptedAt: Date
  readonly durationMs: number
  readonly status: number | null
  readonly error: string | null
  readonly excerpt: string | null
  readonly retryAfter?: string | undefined
}

/** An answer that takes longer makes an endpoint a slow one, even before it comes. */
const SLOW_MS = 2000

/** Time after which an attempt looks whether its organization is suspended still. */
const SUSPENSION_CHECK_MS = 300_000

const GONE = 410

/**
 * Makes an attempt, and records it in one transaction with the end of its job and the job of the next attempt. A worker
 * that dies before that leaves the job to another one, which sends the same message with the same id.
 */
export async function deliver(ctx: WebhookContext, attempt: Attempt, options: DeliverOptions): Promise<void> {
  const own = { ...ctx, db: new OrgDatabase(ctx.db, attempt.org) }
  const work = await queries.selectWork(own.db, attempt.delivery)
  // The endpoint was deleted, or somebody else made this attempt.
  if (work === undefined || work.state !== 'pending' || work.attempts !== attempt.number - 1) return
  if (work.is_disabled) return skip(own, { work, options })
  if (work.is_suspended || (options.isHealthyLane && work.is_slow)) {
    return passOn(own, attempt, { work, options })
  }
  const outcome = await sendWatched(own, { work, options })
  await transaction(own, async (tx) => {
    await record(tx, attempt, { work, outcome, options })
  })
  ctx.webhooks.attempted(labelOf(outcome), outcome.durationMs / 1000)
}

/** Skips this delivery and all others that wait for the endpoint. */
function skip(own: OrgWork, { work, options }: Due): Promise<void> {
  return transaction(own, (tx) => skipWaiting(tx, work.endpoint_id, options.skipLater))
}

/** Leaves an attempt to a later job, or to one of the other lane. */
async function passOn(own: OrgWork, attempt: Attempt, { work, options }: Due): Promise<void> {
  const lane = { endpoint: work.endpoint_id, is_slow: work.is_slow }
  await transaction(own, async (tx) => {
    if (work.is_suspended) {
      const at = new Date(tx.now().getTime() + SUSPENSION_CHECK_MS)
      await queries.postponeDelivery(tx.db, attempt.delivery, { attempts: work.attempts, until: at })
      await options.enqueue(tx, attempt, { ...lane, at })
    } else await options.enqueue(tx, attempt, lane)
    await options.run.complete(tx.db)
  })
}

/**
 * Sends, and has an endpoint that lets others wait leave their lane while it does so: not only when it has held its places
 * for a whole timeout.
 */
async function sendWatched(own: OrgWork, { work, options }: Due): Promise<Outcome> {
  const { run, isHealthyLane } = options
  if (!isHealthyLane) return send(own, work, run.signal)
  const timer = setTimeout(() => {
    queries.markSlow(own.db, work.endpoint_id).catch((cause: unknown) => {
      own.log.warn({ err: cause }, 'a slow endpoint could not be noted before its attempt has ended')
    })
  }, SLOW_MS)
  try {
    return await send(own, work, run.signal)
  } finally {
    clearTimeout(timer)
  }
}

async function send(ctx: WebhookContext, work: queries.Work, signal: AbortSignal): Promise<Outcome> {
  const attemptedAt = ctx.now()
  const start = performance.now()
  const timed = () => ({ attemptedAt, durationMs: Math.round(performance.now() - start) })
  const message = {
    url: work.url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Groundwork-Webhooks/1.0',
      ...signedHeaders(
        { id: work.event_id, at: attemptedAt, body: work.body },
        signingSecrets(ctx, work.endpoint_id, work),
      ),
    },
    body: Buffer.from(work.body),
  }
  try {
    const { status, retryAfter, excerpt } = await post(message, ctx.webhooks.sending, signal)
    return { ...timed(), status, retryAfter, excerpt, error: null }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    return { ...timed(), status: null, excerpt: null, error: error.fault }
  }
}

async function record(
  tx: OrgWork,
  { org, delivery, number }: Attempt,
  { work, outcome, options }: Due & { readonly outcome: Outcome },
): Promise<void> {
  const isDelivered = labelOf(outcome) === 'delivered'
  const next = isDelivered
    ? undefined
    : nextAttemptAt(number - work.attempts_before, { now: tx.now(), retryAfter: outcome.retryAfter })
  const ended = isDelivered ? 'delivered' : 'failed'
  const isRecorded = await queries.recordAttempt(tx.db, delivery, {
    number,
    state: next === undefined ? ended : 'pending',
    next,
    attempted_at: outcome.attemptedAt.toISOString(),
    duration_ms: outcome.durationMs,
    status: outcome.status,
    error: outcome.error,
    excerpt: outcome.excerpt,
  })
  const endpoint = work.endpoint_id
  const end = () => options.run.complete(tx.db)
  // Deleted or cancelled meanwhile: there is nothing to record.
  if (!isRecorded) return end()
  if (isDelivered) {
    const isSlow = outcome.durationMs > SLOW_MS
    await Promise.all([queries.recordSuccess(tx.db, endpoint, isSlow), end()])
    return
  }
  const { skipLater } = options
  const isStopped = await noteFailure(tx, endpoint, { isGone: outcome.status === GONE, skipLater })
  if (next !== undefined && !isStopped)
    await options.enqueue(tx, { org, delivery, number: number + 1 }, { endpoint, is_slow: true, at: next })
  await end()
}

/** `delivered`, `status`, or the fault. */
function labelOf({ status, error }: Outcome): string {
  if (status !== null && status >= 200 && status < 300) return 'delivered'
  return error ?? 'status'
}
