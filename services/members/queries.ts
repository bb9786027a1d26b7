import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { Member } from '#schemas/members.ts'
import type { MemberRole } from '#schemas/organizations.ts'

const COLUMNS = 'm.user_id, u.email, u.username, m.role, m.created_at, m.updated_at'

export interface MembershipRow {
  role: MemberRole
  deleted_at: string | null
  suspended_at: string | null
  /** The database's clock, before it looked. */
  read_at: string
}

/**
 * The rights of a user in the organization of the context, which the user only claims to belong to.
 *
 * @reads organizations
 */
export async function selectMembership(db: OrgDatabase, userId: string): Promise<MembershipRow | undefined> {
  const rows = await db.query<MembershipRow>({
    name: 'selectMembership',
    text: `SELECT m.role, o.deleted_at, o.suspended_at, statement_timestamp() AS read_at
           FROM memberships m JOIN organizations o ON o.id = m.org_id
           WHERE m.org_id = $1 AND m.user_id = $2`,
    values: [db.org, userId],
    pipelined: true,
  })
  return rows[0]
}

/** The same for many members of many organizations. */
export function selectMemberships(
  db: SystemDatabase,
  orgs: readonly string[],
  userIds: readonly string[],
): Promise<(MembershipRow & { org_id: string; user_id: string })[]> {
  return db.query({
    name: 'selectMemberships',
    text: `SELECT m.org_id, m.user_id, m.role, o.deleted_at, o.suspended_at, statement_timestamp() AS read_at
           FROM unnest($1::uuid[], $2::uuid[]) AS asked (org_id, user_id)
           JOIN memberships m ON m.org_id = asked.org_id AND m.user_id = asked.user_id
           JOIN organizations o ON o.id = m.org_id`,
    values: [orgs, userIds],
  })
}

/** Returns the ids of all members. */
export async function selectMemberIds(db: SystemDatabase, org: string): Promise<string[]> {
  const rows = await db.query<{ user_id: string }>({
    name: 'selectMemberIds',
    text: 'SELECT user_id FROM memberships WHERE org_id = $1',
    values: [org],
  })
  return rows.map(({ user_id }) => user_id)
}

/** @reads users */
export async function selectMember(db: OrgDatabase, userId: string): Promise<Member | undefined> {
  const rows = await db.query<Member>({
    name: 'selectMember',
    text: `SELECT ${COLUMNS} FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.org_id = $1 AND m.user_id = $2`,
    values: [db.org, userId],
    pipelined: true,
  })
  return rows[0]
}

/** @reads users */
export async function selectMemberExists(db: OrgDatabase, email: string): Promise<boolean> {
  const rows = await db.query({
    name: 'selectMemberExists',
    text: `SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.org_id = $1 AND case_fold(u.email) = case_fold($2)`,
    values: [db.org, email],
  })
  return rows.length > 0
}

/**
 * In the order of their accounts, oldest first.
 *
 * @reads users
 */
export function selectMembers(
  db: OrgDatabase,
  { after, limit }: { after: string | null; limit: number },
): Promise<Member[]> {
  return db.query<Member>({
    name: 'selectMembers',
    text: `SELECT ${COLUMNS} FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.org_id = $1 AND ($2::uuid IS NULL OR m.user_id > $2)
           ORDER BY m.user_id LIMIT $3`,
    values: [db.org, after, limit],
  })
}

/**
 * Addresses of owners and admins who can sign in, oldest account first.
 *
 * @reads users
 */
export async function selectAdministrators(db: OrgDatabase): Promise<string[]> {
  const rows = await db.query<{ email: string }>({
    name: 'selectAdministrators',
    text: `SELECT u.email FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.org_id = $1 AND m.role IN ('owner', 'admin') AND u.is_active ORDER BY m.user_id LIMIT 20`,
    values: [db.org],
  })
  return rows.map(({ email }) => email)
}

/** Returns false if the user is a member already. */
export async function insertMembership(db: OrgDatabase, userId: string, role: MemberRole): Promise<boolean> {
  const rows = await db.query({
    name: 'insertMembership',
    text: `INSERT INTO memberships (org_id, user_id, role) VALUES ($1, $2, $3)
           ON CONFLICT (org_id, user_id) DO NOTHING RETURNING user_id`,
    values: [db.org, userId, role],
  })
  return rows.length > 0
}

export async function updateMembershipRole(db: OrgDatabase, userId: string, role: MemberRole): Promise<void> {
  await db.query({
    name: 'updateMembershipRole',
    text: 'UPDATE memberships SET role = $3 WHERE org_id = $1 AND user_id = $2 RETURNING user_id',
    values: [db.org, userId, role],
  })
}

export async function deleteMembership(db: OrgDatabase, userId: string): Promise<void> {
  await db.query({
    name: 'deleteMembership',
    text: 'DELETE FROM memberships WHERE org_id = $1 AND user_id = $2 RETURNING user_id',
    values: [db.org, userId],
  })
}

export async function countMembers(db: OrgDatabase): Promise<number> {
  const rows = await db.query<{ members: number }>({
    name: 'countMembers',
    text: 'SELECT count(*)::int AS members FROM memberships WHERE org_id = $1',
    values: [db.org],
  })
  return onlyRow(rows).members
}

/**
 * Whether there is an owner who can sign in, beside one if that is given.
 *
 * @reads users
 */
export async function selectOwnerExists(db: OrgDatabase, beside: string | null): Promise<boolean> {
  const rows = await db.query({
    name: 'selectOwnerExists',
    text: `SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.org_id = $1 AND m.role = 'owner' AND u.is_active AND ($2::uuid IS NULL OR m.user_id <> $2)
           LIMIT 1`,
    values: [db.org, beside],
  })
  return rows.length > 0
}

/** The organizations that the user owns, deleted ones included. */
export async function selectOwnedOrganizations(db: UserDatabase): Promise<string[]> {
  const rows = await db.query<{ org_id: string }>({
    name: 'selectOwnedOrganizations',
    text: "SELECT org_id FROM memberships WHERE user_id = $1 AND role = 'owner' ORDER BY org_id",
    values: [db.user],
  })
  return rows.map(({ org_id }) => org_id)
}

/**
 * Has changes of the organization and of who its members are wait until the transaction ends.
 *
 * @reads organizations
 */
export async function lockMembers(db: OrgDatabase): Promise<void> {
  await db.query({
    name: 'lockMembers',
    text: 'SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE',
    values: [db.org],
  })
}
