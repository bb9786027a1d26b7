import { onlyRow } from '#lib/database/only-row.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { AdministeredOrganization } from '#schemas/administered-organizations.ts'

/** Before every id, in the order of the list. */
export const BEYOND = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** A piece of the list of all organizations. */
export interface OrganizationPiece {
  /** Ids of those that match, newest first. */
  readonly found: string[]
  readonly looked: number
  /** The last that was looked at; null when there was none. */
  readonly last: string | null
}

interface PieceOptions {
  /** Part of a name or slug; null for all. */
  readonly text: string | null
  /** Only organizations older than this id. */
  readonly before: string
  readonly limit: number
  /** Organizations to look at. */
  readonly window: number
}

/**
 * Looks at the next organizations, and returns those whose name or slug has the text in it, so that it takes the same time
 * however many there are. The one whose slug is just the text is left out.
 */
export async function selectOrganizationPiece(
  db: SystemDatabase,
  { text, before, limit, window }: PieceOptions,
): Promise<OrganizationPiece> {
  const rows = await db.query<OrganizationPiece>({
    name: 'selectOrganizationPiece',
    text: `WITH looked AS MATERIALIZED (
             SELECT id, name, slug FROM organizations WHERE id < $1 ORDER BY id DESC LIMIT $4
           )
           SELECT ARRAY (
               SELECT id::text FROM looked
               WHERE $2::text IS NULL
                  OR slug IS DISTINCT FROM case_fold($2)
                     AND strpos(case_fold(name) || ' ' || coalesce(slug, ''), case_fold($2)) > 0
               ORDER BY looked.id DESC LIMIT $3
             ) AS found,
             (SELECT count(*)::int FROM looked) AS looked,
             (SELECT id::text FROM looked ORDER BY looked.id LIMIT 1) AS last`,
    values: [before, text, limit, window],
  })
  return onlyRow(rows)
}

/** Returns the id of the organization whose slug is the text, in any case. */
export async function selectIdBySlug(db: SystemDatabase, text: string): Promise<string | undefined> {
  const rows = await db.query<{ id: string }>({
    name: 'selectOrganizationBySlug',
    text: 'SELECT id FROM organizations WHERE slug = case_fold($1)',
    values: [text],
  })
  return rows[0]?.id
}

/**
 * In the order of their ids here, each with how many rows it has in each of these tables, whose names come from the
 * catalogue. Counting ends at a number, so that an organization of millions of rows takes no longer than another.
 *
 * @reads memberships
 * @reads users
 */
export function selectAdministered(
  db: SystemDatabase,
  tables: readonly string[],
  { ids, most }: { ids: readonly string[]; most: number },
): Promise<AdministeredOrganization[]> {
  const counts = tables.map(
    (table) =>
      `(SELECT json_build_object('table', '${table}', 'rows', least(counted.rows, $2), 'is_capped', counted.rows > $2)
        FROM (SELECT count(*)::int AS rows
              FROM (SELECT FROM ${table} r WHERE r.org_id = o.id LIMIT $2 + 1) looked) counted)`,
  )
  return db.query<AdministeredOrganization>({
    name: 'selectAdministeredOrganizations',
    text: `SELECT o.id, o.name, o.slug, o.created_at, o.updated_at, o.deleted_at, o.suspended_at, o.purge_requested_at,
             EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                     WHERE m.org_id = o.id AND m.role = 'owner' AND u.is_active) AS has_owner,
             json_build_array(${counts.join(', ')}) AS usage
           FROM organizations o WHERE o.id = ANY ($1) ORDER BY array_position($1::uuid[], o.id)`,
    values: [ids, most],
  })
}

/** Suspends an organization or takes that back; returns false if there was nothing to change. */
export async function updateSuspended(db: SystemDatabase, org: string, suspended: boolean): Promise<boolean> {
  const rows = await db.query({
    name: 'updateOrganizationSuspended',
    text: `UPDATE organizations SET suspended_at = CASE WHEN $2 THEN now() END
           WHERE id = $1 AND (suspended_at IS NOT NULL) <> $2 RETURNING id`,
    values: [org, suspended],
  })
  return rows.length > 0
}

/** Since when an organization is closed, and how. */
export type Closing = Pick<AdministeredOrganization, 'deleted_at' | 'suspended_at' | 'purge_requested_at'>

/** Nobody else closes or opens the organization until the transaction ends. */
export async function lockClosing(db: SystemDatabase, org: string): Promise<Closing | undefined> {
  const rows = await db.query<Closing>({
    name: 'lockOrganizationClosing',
    text: 'SELECT deleted_at, suspended_at, purge_requested_at FROM organizations WHERE id = $1 FOR UPDATE',
    values: [org],
  })
  return rows[0]
}

/** Deletes an organization so that nobody can restore it; one that is deleted keeps its time. */
export async function markPurged(db: SystemDatabase, org: string): Promise<void> {
  await db.query({
    name: 'markOrganizationPurged',
    text: `UPDATE organizations SET deleted_at = coalesce(deleted_at, now()), purge_requested_at = now()
           WHERE id = $1 RETURNING id`,
    values: [org],
  })
}
