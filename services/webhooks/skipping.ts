import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { WebhookContext } from './context.ts'
import * as queries from './queries-of-waiting.ts'

/** Deliveries that one statement skips: a receiver that is down for days has very many that wait. */
export const SKIPPED_AT_ONCE = 1000

/** Has a job skip what waits for a webhook after a delivery. */
export type SkipLater = (
  ctx: WebhookContext & { readonly db: OrgDatabase },
  endpoint: string,
  after: string,
) => Promise<void>

/**
 * Skips what waits for a webhook that is disabled: the oldest at once, and the rest, if there are so many, by a job.
 * Belongs in the transaction that disables it. They can be recovered.
 */
export async function skipWaiting(
  tx: WebhookContext & { readonly db: OrgDatabase },
  endpoint: string,
  skipLater: SkipLater,
): Promise<void> {
  const { skipped, last } = await queries.skipPending(tx.db, endpoint, {
    after: null,
    limit: SKIPPED_AT_ONCE,
  })
  if (skipped === SKIPPED_AT_ONCE && last !== null) await skipLater(tx, endpoint, last)
}
