import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import { emitting } from '#services/events/emit.ts'
import { sendMail } from '#services/mail/mail.ts'
import * as memberRecords from '#services/members/records.ts'
import type { WebhookContext } from './context.ts'
import { webhookStopped } from './events.ts'
import * as queries from './queries-of-deliveries.ts'
import { type SkipLater, skipWaiting } from './skipping.ts'

/** Attempts that must have failed before an endpoint is disabled: one that hears little is given more time. */
const MIN_FAILED_ATTEMPTS = 20

type OrgWork = WebhookContext & { readonly db: OrgDatabase }

/**
 * Notes a failed attempt. An endpoint whose receiver says that it is gone, or that has failed for too long, is disabled;
 * administrators are told half-way and at the end. Belongs in the transaction that records the attempt.
 *
 * @returns whether the endpoint is disabled now
 */
export async function noteFailure(
  tx: OrgWork,
  endpoint: string,
  { isGone, skipLater }: { readonly isGone: boolean; readonly skipLater: SkipLater },
): Promise<boolean> {
  const now = tx.now()
  const failures = await queries.recordFailure(tx.db, endpoint, now)
  if (failures === undefined) return true
  const since = failures.first_failed_at
  if (isGone) return stop(tx, endpoint, { reason: 'gone', since, skipLater })
  const { disableAfterMs } = tx.webhooks
  const failingMs = now.getTime() - Date.parse(since)
  if (failingMs >= disableAfterMs && failures.failed_attempts >= MIN_FAILED_ATTEMPTS) {
    return stop(tx, endpoint, { reason: 'failing', since, skipLater })
  }
  const isHalfWay = failingMs >= disableAfterMs / 2 && failures.failed_attempts >= MIN_FAILED_ATTEMPTS / 2
  if (isHalfWay && (await queries.markWarned(tx.db, endpoint, now))) {
    await tell(tx, 'webhook-failing', { webhook: endpoint, since })
  }
  return false
}

interface Stop {
  readonly skipLater: SkipLater
  readonly reason: 'gone' | 'failing'
  readonly since: string
}

async function stop(tx: OrgWork, endpoint: string, { reason, since, skipLater }: Stop): Promise<true> {
  const told = emitting(tx, webhookStopped, { subject: endpoint, data: { reason } })
  if (await queries.stopEndpoint(told, endpoint, reason)) {
    await skipWaiting(tx, endpoint, skipLater)
    await tell(tx, 'webhook-disabled', { webhook: endpoint, since, reason })
    tx.webhooks.stopped(reason)
  }
  return true
}

type Notice =
  | ['webhook-failing', { webhook: string; since: string }]
  | ['webhook-disabled', { webhook: string; since: string; reason: 'gone' | 'failing' }]

async function tell(tx: OrgWork, ...[template, data]: Notice): Promise<void> {
  for (const to of await memberRecords.findAdministrators(tx)) {
    if (template === 'webhook-failing') await sendMail(tx, { template, to, data })
    else await sendMail(tx, { template, to, data })
  }
}
