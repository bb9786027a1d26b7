import type { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { Organization, UpdateOrganization } from '#schemas/organizations.ts'

/** An organization without the role, which is the member's. */
export type OrganizationRow = Omit<Organization, 'role'>

const COLUMNS = 'id, name, slug, created_at, updated_at, deleted_at, suspended_at'

export async function insertOrganization(
  db: OrgDatabase,
  { name, slug = null }: { name: string; slug?: string | null | undefined },
): Promise<OrganizationRow | undefined> {
  const rows = await db.query<OrganizationRow>({
    name: 'insertOrganization',
    text: `INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
    values: [db.org, name, slug],
  })
  return rows[0]
}

export async function selectOrganization(db: OrgDatabase): Promise<OrganizationRow | undefined> {
  const rows = await db.query<OrganizationRow>({
    name: 'selectOrganization',
    text: `SELECT ${COLUMNS} FROM organizations WHERE id = $1`,
    values: [db.org],
    pipelined: true,
  })
  return rows[0]
}

/**
 * The user's own, newest first; suspended ones too, and deleted ones if the user can restore them.
 *
 * @reads memberships
 */
export function selectOrganizations(
  db: UserDatabase,
  { before, limit, grace }: { before: string | null; limit: number; grace: number },
): Promise<Organization[]> {
  return db.query<Organization>({
    name: 'selectOrganizations',
    text: `SELECT o.id, o.name, o.slug, m.role, o.created_at, o.updated_at, o.deleted_at,
             o.suspended_at
           FROM memberships m JOIN organizations o ON o.id = m.org_id
           WHERE m.user_id = $1 AND ($2::uuid IS NULL OR m.org_id < $2)
             AND (o.deleted_at IS NULL
                  OR m.role = 'owner' AND o.purge_requested_at IS NULL
                     AND o.deleted_at >= now() - $4 * interval '1 millisecond')
           ORDER BY m.org_id DESC LIMIT $3`,
    values: [db.user, before, limit, grace],
  })
}

/** Returns undefined unless it is one of the versions, if they are given. */
export async function updateOrganization(
  db: OrgDatabase,
  changes: UpdateOrganization,
  versions: readonly string[] | undefined,
): Promise<OrganizationRow | undefined> {
  const rows = await db.query<OrganizationRow>({
    name: 'updateOrganization',
    text: `UPDATE organizations
           SET name = coalesce($2, name), slug = CASE WHEN $3 THEN $4 ELSE slug END
           WHERE id = $1 AND deleted_at IS NULL AND ($5::timestamptz[] IS NULL OR updated_at = ANY ($5))
           RETURNING ${COLUMNS}`,
    values: [db.org, changes.name, changes.slug !== undefined, changes.slug, versions],
  })
  return rows[0]
}

/** Returns false unless it is one of the versions, if they are given. */
export async function markDeleted(
  db: OrgDatabase,
  versions: readonly string[] | undefined,
): Promise<boolean> {
  const rows = await db.query({
    name: 'markOrganizationDeleted',
    text: `UPDATE organizations SET deleted_at = now()
           WHERE id = $1 AND deleted_at IS NULL AND ($2::timestamptz[] IS NULL OR updated_at = ANY ($2))
           RETURNING id`,
    values: [db.org, versions],
  })
  return rows.length > 0
}

/**
 * Takes a deletion back that is not longer ago than `grace` milliseconds, unless an admin had it made final. By the clock,
 * and not by the transaction's beginning: what `selectPurgeable` has seen must not come back.
 */
export async function unmarkDeleted(db: OrgDatabase, grace: number): Promise<void> {
  await db.query({
    name: 'unmarkOrganizationDeleted',
    text: `UPDATE organizations SET deleted_at = NULL
           WHERE id = $1 AND purge_requested_at IS NULL
             AND deleted_at >= clock_timestamp() - $2 * interval '1 millisecond' RETURNING id`,
    values: [db.org, grace],
  })
}

/** Condition for an organization that can't come back: deleted so many milliseconds ago, or purged by an admin. */
const isPurgeable = (grace: string) =>
  `(deleted_at < now() - ${grace} * interval '1 millisecond' OR purge_requested_at IS NOT NULL)`

/** Organizations whose rows are to be deleted for good. Waits for one that is being restored. */
export async function selectPurgeable(db: SystemDatabase, grace: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'selectPurgeableOrganizations',
    text: `SELECT id FROM organizations WHERE ${isPurgeable('$1')}
           ORDER BY deleted_at LIMIT 100 FOR UPDATE`,
    values: [grace],
  })
  return rows.map(({ id }) => id)
}

/** The tables that hold rows of organizations, other than who they are and who their members are. */
export async function selectTenantTables(db: SystemDatabase): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'selectTenantTables',
    text: `SELECT DISTINCT c.conrelid::regclass::text AS name FROM pg_constraint c
           WHERE c.contype = 'f' AND c.confrelid = 'organizations'::regclass
             AND c.conrelid <> 'memberships'::regclass
           ORDER BY name`,
  })
  return rows.map(({ name }) => name)
}

/** Deletes some rows of an organization and returns how many, so that no statement takes long. */
export async function deleteRows(
  db: SystemDatabase,
  table: string,
  org: string,
  limit: number,
): Promise<number> {
  const rows = await db.query({
    name: `purge_${table}`,
    text: `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE org_id = $1 LIMIT $2))
           RETURNING 1 AS deleted`,
    values: [org, limit],
  })
  return rows.length
}

/** Deletes an organization that was deleted long enough ago, and not restored meanwhile. */
export async function deleteOrganization(db: SystemDatabase, org: string, grace: number): Promise<void> {
  await db.query({
    name: 'deleteOrganization',
    text: `DELETE FROM organizations WHERE id = $1 AND ${isPurgeable('$2')}`,
    values: [org, grace],
  })
}
