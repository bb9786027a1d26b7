import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { FailingWebhook, ListFailingWebhooksQuery } from '#schemas/failing-webhooks.ts'

/** A webhook with all of its URL. */
export type FailingRow = Omit<FailingWebhook, 'host'> & { url: string }

interface FailingOptions extends Pick<ListFailingWebhooksQuery, 'status' | 'organization_id'> {
  /** Only webhooks older than this id. */
  readonly before: string | undefined
  readonly limit: number
}

type Condition = [name: string, sql: (parameter: string) => string, value: unknown]

/**
 * Webhooks of all organizations that fail or are disabled, newest first. Those of deleted organizations are left out: nobody
 * can enable them, and nothing is sent there.
 *
 * @reads organizations
 */
export function selectFailing(
  db: SystemDatabase,
  { status, organization_id, before, limit }: FailingOptions,
): Promise<FailingRow[]> {
  const conditions: Condition[] = []
  if (status !== undefined)
    conditions.push(['status', (p) => `(e.disabled_reason IS NOT NULL) = (${p} = 'disabled')`, status])
  if (organization_id !== undefined) conditions.push(['org', (p) => `e.org_id = ${p}::uuid`, organization_id])
  if (before !== undefined) conditions.push(['before', (p) => `e.id < ${p}::uuid`, before])
  const where = conditions.map(([, sql], index) => ` AND ${sql(`$${index + 2}`)}`).join('')
  return db.query<FailingRow>({
    name: ['selectFailingWebhooks', ...conditions.map(([name]) => name)].join(':'),
    text: `SELECT e.id, e.org_id AS organization_id, o.name AS organization_name, e.url,
             CASE WHEN e.disabled_reason IS NULL THEN 'failing' ELSE 'disabled' END AS status,
             e.disabled_reason, e.first_failed_at AS failing_since, e.failed_attempts, e.created_at
           FROM webhook_endpoints e JOIN organizations o ON o.id = e.org_id
           WHERE (e.first_failed_at IS NOT NULL OR e.disabled_reason IS NOT NULL) AND e.deleted_at IS NULL
             AND o.deleted_at IS NULL${where}
           ORDER BY e.id DESC LIMIT $1`,
    values: [limit, ...conditions.map(([, , value]) => value)],
  })
}
