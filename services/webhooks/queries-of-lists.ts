import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { ListWebhookDeliveriesQuery, WebhookDelivery } from '#schemas/webhooks.ts'
import { firstIdOf } from '#services/events/jobs.ts'
import { COLUMNS } from './queries-of-deliveries.ts'

// Lists of deliveries: newest first, by the order of their ids, which begin with their time.

/** Milliseconds by which the clocks of a worker, which makes ids, and of the database may differ. */
export const CLOCKS_MS = 600_000

export interface DeliveryFilter
  extends Pick<ListWebhookDeliveriesQuery, 'state' | 'event_id' | 'since' | 'until'> {
  /** Only deliveries older than this id. */
  readonly before: string | undefined
}

type Condition = [name: string, sql: (parameter: string) => string, value: unknown]

/** A condition for each filter that there is, so that each set of them is planned for itself. */
function conditionsOf({ state, event_id, since, until, before }: DeliveryFilter): Condition[] {
  const conditions: Condition[] = []
  if (state !== undefined) conditions.push(['state', (p) => `state = ${p}`, state])
  if (event_id !== undefined) conditions.push(['event', (p) => `event_id = ${p}::uuid`, event_id])
  if (since !== undefined) {
    conditions.push(['since', (p) => `created_at >= ${p}::timestamptz`, since])
    conditions.push(['from', (p) => `id >= ${p}::uuid`, firstIdOf(Date.parse(since) - CLOCKS_MS)])
  }
  if (until !== undefined) {
    conditions.push(['until', (p) => `created_at < ${p}::timestamptz`, until])
    conditions.push(['to', (p) => `id < ${p}::uuid`, firstIdOf(Date.parse(until) + CLOCKS_MS)])
  }
  if (before !== undefined) conditions.push(['before', (p) => `id < ${p}::uuid`, before])
  return conditions
}

const namedFor = (name: string, conditions: readonly Condition[]) =>
  [name, ...conditions.map(([condition]) => condition)].join(':')

const textOf = (conditions: readonly Condition[], first: number) =>
  conditions.map(([, sql], index) => ` AND ${sql(`$${first + index}`)}`).join('')

const valuesOf = (conditions: readonly Condition[]) => conditions.map(([, , value]) => value)

/** Newest first. */
export function selectDeliveries(
  db: OrgDatabase,
  endpoint: string,
  { limit, ...filter }: DeliveryFilter & { readonly limit: number },
): Promise<WebhookDelivery[]> {
  const conditions = conditionsOf(filter)
  return db.query<WebhookDelivery>({
    name: namedFor('selectWebhookDeliveries', conditions),
    text: `SELECT ${COLUMNS} FROM webhook_deliveries
           WHERE org_id = $1 AND endpoint_id = $2${textOf(conditions, 4)} ORDER BY id DESC LIMIT $3`,
    values: [db.org, endpoint, limit, ...valuesOf(conditions)],
  })
}

/** A piece of a list of deliveries. */
export interface DeliveryPiece {
  /** Ids of those that match, newest first. */
  readonly found: string[]
  readonly looked: number
  /** The last that was looked at; null when there was none. */
  readonly last: string | null
}

/**
 * Looks at the next deliveries, and returns those of a type, or of all types of a domain (`projects.*`). No index knows
 * the type, so that it is looked for in windows, which take the same time however rare it is.
 */
export async function selectDeliveryPiece(
  db: OrgDatabase,
  endpoint: string,
  {
    type,
    limit,
    window,
    ...filter
  }: DeliveryFilter & { readonly type: string; readonly limit: number; readonly window: number },
): Promise<DeliveryPiece> {
  const conditions = conditionsOf(filter)
  const rows = await db.query<DeliveryPiece>({
    name: namedFor('selectWebhookDeliveryPiece', conditions),
    text: `WITH looked AS MATERIALIZED (
             SELECT id, event_type FROM webhook_deliveries
             WHERE org_id = $1 AND endpoint_id = $2${textOf(conditions, 6)} ORDER BY id DESC LIMIT $5
           )
           SELECT ARRAY (
               SELECT id::text FROM looked
               WHERE event_type = $3 OR right($3, 2) = '.*' AND starts_with(event_type, left($3, -1))
               ORDER BY looked.id DESC LIMIT $4
             ) AS found,
             (SELECT count(*)::int FROM looked) AS looked,
             (SELECT id::text FROM looked ORDER BY looked.id LIMIT 1) AS last`,
    values: [db.org, endpoint, type, limit, window, ...valuesOf(conditions)],
  })
  return onlyRow(rows)
}

/** Newest first. */
export function selectDeliveriesByIds(
  db: OrgDatabase,
  endpoint: string,
  ids: readonly string[],
): Promise<WebhookDelivery[]> {
  return db.query<WebhookDelivery>({
    name: 'selectWebhookDeliveriesByIds',
    text: `SELECT ${COLUMNS} FROM webhook_deliveries
           WHERE org_id = $1 AND endpoint_id = $2 AND id = ANY ($3) ORDER BY id DESC`,
    values: [db.org, endpoint, ids],
  })
}
