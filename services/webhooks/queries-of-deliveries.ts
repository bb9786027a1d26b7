import type { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { WebhookAttempt, WebhookDelivery } from '#schemas/webhooks.ts'
import type { StoredSecrets } from './queries.ts'

export const COLUMNS = 'id, event_id, event_type, state, attempts, next_attempt_at, created_at'

/** An endpoint, and the events that it wants to hear of. */
export interface Subscription {
  org_id: string
  id: string
  event_types: string[]
  is_disabled: boolean
  is_slow: boolean
}

export function selectSubscriptions(db: SystemDatabase, organizations: string[]): Promise<Subscription[]> {
  return db.query<Subscription>({
    name: 'selectWebhookSubscriptions',
    text: `SELECT org_id, id, event_types, disabled_reason IS NOT NULL AS is_disabled, is_slow
           FROM webhook_endpoints WHERE org_id = ANY ($1) AND deleted_at IS NULL FOR KEY SHARE`,
    values: [organizations],
  })
}

export interface NewDelivery {
  org_id: string
  id: string
  endpoint_id: string
  event_id: string
  event_type: string
  body: string
  state: 'pending' | 'skipped'
}

/** Returns the ids of those that are new: an event goes to an endpoint once. */
export async function insertDeliveries(
  db: OrgDatabase | SystemDatabase,
  deliveries: readonly NewDelivery[],
): Promise<string[]> {
  if (deliveries.length === 0) return []
  const column = (name: keyof NewDelivery) => deliveries.map((delivery) => delivery[name])
  const rows = await db.query<{ id: string }>({
    name: 'insertWebhookDeliveries',
    text: `INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, body, state, next_attempt_at)
           SELECT org_id, id, endpoint_id, event_id, event_type, body, state,
             CASE state WHEN 'pending' THEN now() END
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[])
             AS new (org_id, id, endpoint_id, event_id, event_type, body, state)
           ON CONFLICT (org_id, endpoint_id, event_id) DO NOTHING RETURNING id`,
    values: [
      ...(['org_id', 'id', 'endpoint_id', 'event_id', 'event_type', 'body', 'state'] as const).map(column),
    ],
  })
  return rows.map(({ id }) => id)
}

/** A delivery with what an attempt at it needs. */
export interface Work extends StoredSecrets {
  endpoint_id: string
  url: string
  event_id: string
  body: string
  state: WebhookDelivery['state']
  attempts: number
  attempts_before: number
  /** The endpoint is disabled, or its organization was deleted. */
  is_disabled: boolean
  /** The organization is suspended, and may come back as it was. */
  is_suspended: boolean
  is_slow: boolean
}

/** @reads organizations */
export async function selectWork(db: OrgDatabase, id: string): Promise<Work | undefined> {
  const rows = await db.query<Work>({
    name: 'selectWebhookWork',
    text: `SELECT d.endpoint_id, e.url, d.event_id, d.body, d.state, d.attempts, d.attempts_before, e.secret, e.previous_secret,
             e.previous_secret_expires_at, e.is_slow, o.suspended_at IS NOT NULL AS is_suspended,
             e.disabled_reason IS NOT NULL OR o.deleted_at IS NOT NULL AS is_disabled
           FROM webhook_deliveries d JOIN webhook_endpoints e ON e.org_id = d.org_id AND e.id = d.endpoint_id
             JOIN organizations o ON o.id = d.org_id
           WHERE d.org_id = $1 AND d.id = $2 AND e.deleted_at IS NULL`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

/** Has a delivery wait longer for the attempt that is due, unless that was made meanwhile. */
export async function postponeDelivery(
  db: OrgDatabase,
  id: string,
  { attempts, until }: { attempts: number; until: Date },
): Promise<void> {
  await db.query({
    name: 'postponeWebhookDelivery',
    text: `UPDATE webhook_deliveries SET next_attempt_at = $4
           WHERE org_id = $1 AND id = $2 AND attempts = $3 AND state = 'pending'`,
    values: [db.org, id, attempts, until],
  })
}

/** Notes an attempt. Returns false when the delivery is gone, or another attempt was recorded meanwhile. */
export async function recordAttempt(
  db: OrgDatabase,
  id: string,
  { state, next, ...attempt }: WebhookAttempt & { state: WebhookDelivery['state']; next: Date | undefined },
): Promise<boolean> {
  const { number, attempted_at, duration_ms, status, error, excerpt } = attempt
  const rows = await db.query({
    name: 'recordWebhookAttempt',
    text: `WITH changed AS (
             UPDATE webhook_deliveries SET attempts = $3, state = $4, next_attempt_at = $5
             WHERE org_id = $1 AND id = $2 AND attempts = $3 - 1 AND state = 'pending' RETURNING org_id, id),
           noted AS (
             INSERT INTO webhook_attempts
               (org_id, delivery_id, number, attempted_at, duration_ms, status, error, excerpt)
             SELECT org_id, id, $3, $6::timestamptz, $7::integer, $8::smallint, $9, $10 FROM changed)
           SELECT id FROM changed`,
    values: [db.org, id, number, state, next, attempted_at, duration_ms, status, error, excerpt],
  })
  return rows.length > 0
}

/** Notes that an endpoint is slow, while an attempt at it is under way. */
export async function markSlow(db: OrgDatabase, endpoint: string): Promise<void> {
  await db.query({
    name: 'markWebhookSlow',
    text: 'UPDATE webhook_endpoints SET is_slow = true WHERE org_id = $1 AND id = $2 AND NOT is_slow',
    values: [db.org, endpoint],
  })
}

/** Writes only what has changed, which for a healthy endpoint is nothing. */
export async function recordSuccess(db: OrgDatabase, endpoint: string, isSlow: boolean): Promise<void> {
  await db.query({
    name: 'recordWebhookSuccess',
    text: `UPDATE webhook_endpoints SET first_failed_at = NULL, failed_attempts = 0, warned_at = NULL, is_slow = $3
           WHERE org_id = $1 AND id = $2 AND (first_failed_at IS NOT NULL OR is_slow <> $3)`,
    values: [db.org, endpoint, isSlow],
  })
}

/** How an endpoint has failed since its last success. */
export interface Failures {
  failed_attempts: number
  first_failed_at: string
  warned_at: string | null
}

export async function recordFailure(
  db: OrgDatabase,
  endpoint: string,
  now: Date,
): Promise<Failures | undefined> {
  const rows = await db.query<Failures>({
    name: 'recordWebhookFailure',
    text: `UPDATE webhook_endpoints SET first_failed_at = coalesce(first_failed_at, $3),
             failed_attempts = failed_attempts + 1, is_slow = true
           WHERE org_id = $1 AND id = $2 RETURNING failed_attempts, first_failed_at, warned_at`,
    values: [db.org, endpoint, now],
  })
  return rows[0]
}

/** Returns false if people were warned already. */
export async function markWarned(db: OrgDatabase, endpoint: string, now: Date): Promise<boolean> {
  const rows = await db.query({
    name: 'markWebhookWarned',
    text: `UPDATE webhook_endpoints SET warned_at = $3
           WHERE org_id = $1 AND id = $2 AND warned_at IS NULL RETURNING id`,
    values: [db.org, endpoint, now],
  })
  return rows.length > 0
}

/** Returns false if it is disabled already. */
export async function stopEndpoint(
  db: OrgDatabase,
  endpoint: string,
  reason: 'gone' | 'failing',
): Promise<boolean> {
  const rows = await db.query({
    name: 'stopWebhook',
    text: `UPDATE webhook_endpoints SET disabled_reason = $3
           WHERE org_id = $1 AND id = $2 AND disabled_reason IS NULL RETURNING id`,
    values: [db.org, endpoint, reason],
  })
  return rows.length > 0
}

export async function selectDelivery(
  db: OrgDatabase,
  endpoint: string,
  id: string,
): Promise<(WebhookDelivery & { body: string }) | undefined> {
  const rows = await db.query<WebhookDelivery & { body: string }>({
    name: 'selectWebhookDelivery',
    text: `SELECT ${COLUMNS}, body FROM webhook_deliveries WHERE org_id = $1 AND endpoint_id = $2 AND id = $3`,
    values: [db.org, endpoint, id],
    pipelined: true,
  })
  return rows[0]
}

/** The newest attempts, oldest first. */
export async function selectAttempts(db: OrgDatabase, delivery: string): Promise<WebhookAttempt[]> {
  const rows = await db.query<WebhookAttempt>({
    name: 'selectWebhookAttempts',
    text: `SELECT number, attempted_at, duration_ms, status, error, excerpt FROM webhook_attempts
           WHERE org_id = $1 AND delivery_id = $2 ORDER BY number DESC LIMIT 50`,
    values: [db.org, delivery],
  })
  return rows.reverse()
}
