import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import { firstIdOf } from '#services/events/jobs.ts'
import { CLOCKS_MS } from './queries-of-lists.ts'

// Deliveries that no longer wait, wait again, or are deleted.

/**
 * Skips the oldest deliveries after one that wait for an endpoint, if that is disabled. Returns how many, and the last.
 *
 * @reads organizations
 */
export async function skipPending(
  db: OrgDatabase,
  endpoint: string,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<{ skipped: number; last: string | null }> {
  const rows = await db.query<{ skipped: number; last: string | null }>({
    name: 'skipWebhookDeliveries',
    // By their places: a plan by ids is made by what is known of the table, and reads all of it where that is old.
    text: `WITH changed AS (
             UPDATE webhook_deliveries SET state = 'skipped', next_attempt_at = NULL
             WHERE ctid = ANY (ARRAY (
               SELECT ctid FROM webhook_deliveries
               WHERE org_id = $1 AND endpoint_id = $2 AND state = 'pending' AND ($3::uuid IS NULL OR id > $3)
                 AND EXISTS (SELECT FROM webhook_endpoints e JOIN organizations o ON o.id = e.org_id
                             WHERE e.org_id = $1 AND e.id = $2
                               AND (e.disabled_reason IS NOT NULL OR o.deleted_at IS NOT NULL))
               ORDER BY id LIMIT $4 FOR UPDATE))
             RETURNING id)
           SELECT count(*)::int AS skipped, max(id::text) AS last FROM changed`,
    values: [db.org, endpoint, after, limit],
  })
  return onlyRow(rows)
}

/** Deletes some deliveries of an endpoint with their attempts; returns how many. */
export async function deleteDeliveries(db: OrgDatabase, endpoint: string, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'deleteWebhookDeliveries',
    text: `DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY (
             SELECT ctid FROM webhook_deliveries WHERE org_id = $1 AND endpoint_id = $2 LIMIT $3))
           RETURNING 1 AS deleted`,
    values: [db.org, endpoint, limit],
  })
  return rows.length
}

/** A delivery that waits again. */
export interface Resumed {
  id: string
  attempts: number
}

/** Has a delivery wait for an attempt again, which was given up, skipped, or even delivered. */
export async function resumeDelivery(
  db: OrgDatabase,
  endpoint: string,
  id: string,
): Promise<Resumed | undefined> {
  const rows = await db.query<Resumed>({
    name: 'resumeWebhookDelivery',
    text: `UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = now(), attempts_before = attempts
           WHERE org_id = $1 AND endpoint_id = $2 AND id = $3 RETURNING id, attempts`,
    values: [db.org, endpoint, id],
  })
  return rows[0]
}

/** Has those wait again that were given up or skipped, oldest first. Ids begin with their time, and are indexed. */
export function resumeDeliveries(
  db: OrgDatabase,
  endpoint: string,
  { since, limit }: { since: string; limit: number },
): Promise<Resumed[]> {
  return db.query<Resumed>({
    name: 'resumeWebhookDeliveries',
    text: `UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = now(), attempts_before = attempts
           WHERE ctid = ANY (ARRAY (
             SELECT ctid FROM webhook_deliveries
             WHERE org_id = $1 AND endpoint_id = $2 AND id >= $5
               AND state IN ('failed', 'skipped') AND created_at >= $3
             ORDER BY id LIMIT $4 FOR UPDATE))
           RETURNING id, attempts`,
    values: [db.org, endpoint, since, limit, firstIdOf(Date.parse(since) - CLOCKS_MS)],
  })
}
