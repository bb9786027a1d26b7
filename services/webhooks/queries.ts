import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { Webhook } from '#schemas/webhooks.ts'

const COLUMNS = `id, org_id AS organization_id, url, description, event_types,
  CASE WHEN disabled_reason IS NOT NULL THEN 'disabled' WHEN first_failed_at IS NOT NULL THEN 'failing'
    ELSE 'active' END AS status,
  disabled_reason, first_failed_at AS failing_since, created_at, updated_at`

interface NewEndpoint extends Pick<Webhook, 'id' | 'url' | 'description' | 'event_types'> {
  secret: Buffer
}

export async function insertEndpoint(db: OrgDatabase, input: NewEndpoint): Promise<Webhook | undefined> {
  const rows = await db.query<Webhook>({
    name: 'insertWebhook',
    text: `INSERT INTO webhook_endpoints (org_id, id, url, description, event_types, secret)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    values: [db.org, input.id, input.url, input.description, input.event_types, input.secret],
  })
  return rows[0]
}

export async function countEndpoints(db: OrgDatabase): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'countWebhooks',
    text: 'SELECT count(*)::int AS count FROM webhook_endpoints WHERE org_id = $1 AND deleted_at IS NULL',
    values: [db.org],
  })
  return onlyRow(rows).count
}

export async function selectEndpoint(db: OrgDatabase, id: string): Promise<Webhook | undefined> {
  const rows = await db.query<Webhook>({
    name: 'selectWebhook',
    text: `SELECT ${COLUMNS} FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

/** Newest first. */
export function selectEndpoints(
  db: OrgDatabase,
  { before, limit }: { before: string | null; limit: number },
): Promise<Webhook[]> {
  return db.query<Webhook>({
    name: 'selectWebhooks',
    text: `SELECT ${COLUMNS} FROM webhook_endpoints
           WHERE org_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    values: [db.org, before, limit],
  })
}

interface EndpointChanges {
  url?: string | undefined
  description?: string | undefined
  event_types?: string[] | undefined
  enabled?: boolean | undefined
}

/** Returns undefined when none has this id and, if given, one of these versions. Enabling forgets the failures. */
export async function updateEndpoint(
  db: OrgDatabase,
  id: string,
  { url, description, event_types, enabled }: EndpointChanges,
  versions: readonly string[] | undefined,
): Promise<Webhook | undefined> {
  const rows = await db.query<Webhook>({
    name: 'updateWebhook',
    text: `UPDATE webhook_endpoints
           SET url = coalesce($3, url), description = coalesce($4, description),
             event_types = coalesce($5, event_types),
             disabled_reason = CASE $6::boolean WHEN true THEN NULL
               WHEN false THEN coalesce(disabled_reason, 'requested') ELSE disabled_reason END,
             first_failed_at = CASE WHEN $6 THEN NULL ELSE first_failed_at END,
             failed_attempts = CASE WHEN $6 THEN 0 ELSE failed_attempts END,
             warned_at = CASE WHEN $6 THEN NULL ELSE warned_at END
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL
             AND ($7::timestamptz[] IS NULL OR updated_at = ANY ($7))
           RETURNING ${COLUMNS}`,
    values: [db.org, id, url, description, event_types, enabled, versions],
  })
  return rows[0]
}

/** From then on nobody sees it, and nothing is sent. Returns false unless it has one of these versions, if given. */
export async function markEndpointDeleted(
  db: OrgDatabase,
  id: string,
  versions: readonly string[] | undefined,
): Promise<boolean> {
  const rows = await db.query({
    name: 'markWebhookDeleted',
    // Disabled for instances of the version before as well.
    text: `UPDATE webhook_endpoints
           SET deleted_at = now(), disabled_reason = coalesce(disabled_reason, 'requested')
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL
             AND ($3::timestamptz[] IS NULL OR updated_at = ANY ($3))
           RETURNING id`,
    values: [db.org, id, versions],
  })
  return rows.length > 0
}

/** Deletes an endpoint that was marked, with what is left of its deliveries. */
export async function deleteEndpoint(db: OrgDatabase, id: string): Promise<void> {
  await db.query({
    name: 'deleteWebhook',
    text: 'DELETE FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND deleted_at IS NOT NULL',
    values: [db.org, id],
  })
}

/** The encrypted secrets that sign messages. */
export interface StoredSecrets {
  secret: Buffer
  previous_secret: Buffer | null
  previous_secret_expires_at: string | null
}

export async function selectSecrets(db: OrgDatabase, id: string): Promise<StoredSecrets | undefined> {
  const rows = await db.query<StoredSecrets>({
    name: 'selectWebhookSecrets',
    text: `SELECT secret, previous_secret, previous_secret_expires_at FROM webhook_endpoints
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE`,
    values: [db.org, id],
  })
  return rows[0]
}

export async function replaceSecret(
  db: OrgDatabase,
  id: string,
  { secret, previous, grace }: { secret: Buffer; previous: Buffer; grace: number },
): Promise<{ previous_secret_expires_at: string } | undefined> {
  const rows = await db.query<{ previous_secret_expires_at: string }>({
    name: 'replaceWebhookSecret',
    text: `UPDATE webhook_endpoints SET secret = $3, previous_secret = $4,
             previous_secret_expires_at = now() + $5 * interval '1 second'
           WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING previous_secret_expires_at`,
    values: [db.org, id, secret, previous, grace],
  })
  return rows[0]
}
