import type { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { Invitation, ReceivedInvitation } from '#schemas/invitations.ts'
import type { MemberRole } from '#schemas/organizations.ts'

const COLUMNS = 'id, email, role, invited_by, created_at, updated_at, expires_at'

interface NewInvitation {
  id: string
  email: string
  role: MemberRole
  digest: Buffer
  invited_by: string
  /** RFC 3339. */
  expires_at: string
}

/** Takes the place of an expired one to the same address; returns undefined when one is waiting. */
export async function insertInvitation(db: OrgDatabase, row: NewInvitation): Promise<Invitation | undefined> {
  const rows = await db.query<Invitation>({
    name: 'insertInvitation',
    text: `INSERT INTO organization_invitations AS i (org_id, id, email, role, digest, invited_by, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (org_id, case_fold(email)) DO UPDATE
           SET id = excluded.id, email = excluded.email, role = excluded.role, digest = excluded.digest,
               invited_by = excluded.invited_by, created_at = excluded.created_at, expires_at = excluded.expires_at
           WHERE i.expires_at <= now()
           RETURNING ${COLUMNS}`,
    values: [db.org, row.id, row.email, row.role, row.digest, row.invited_by, row.expires_at],
  })
  return rows[0]
}

export async function selectInvitation(db: OrgDatabase, id: string): Promise<Invitation | undefined> {
  const rows = await db.query<Invitation>({
    name: 'selectInvitation',
    text: `SELECT ${COLUMNS} FROM organization_invitations WHERE org_id = $1 AND id = $2`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

/** Newest first. */
export function selectInvitations(
  db: OrgDatabase,
  { before, limit }: { before: string | null; limit: number },
): Promise<Invitation[]> {
  return db.query<Invitation>({
    name: 'selectInvitations',
    text: `SELECT ${COLUMNS} FROM organization_invitations
           WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    values: [db.org, before, limit],
  })
}

/** Replaces an invitation's token and end; the link that was mailed before is void. */
export async function updateInvitation(
  db: OrgDatabase,
  { id, digest, invited_by, expires_at }: Omit<NewInvitation, 'email' | 'role'>,
): Promise<Invitation | undefined> {
  const rows = await db.query<Invitation>({
    name: 'updateInvitation',
    text: `UPDATE organization_invitations SET digest = $3, invited_by = $4, expires_at = $5
           WHERE org_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
    values: [db.org, id, digest, invited_by, expires_at],
  })
  return rows[0]
}

export async function deleteInvitation(db: OrgDatabase, id: string): Promise<Invitation | undefined> {
  const rows = await db.query<Invitation>({
    name: 'deleteInvitation',
    text: `DELETE FROM organization_invitations WHERE org_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
    values: [db.org, id],
  })
  return rows[0]
}

/** An invitation that is gone, and for whom it was. */
export type GoneInvitation = Pick<Invitation, 'id' | 'email'>

/** Deletes a member's invitations to these roles, and returns them. */
export function deleteInvitationsBy(
  db: OrgDatabase,
  userId: string,
  roles: readonly MemberRole[],
): Promise<GoneInvitation[]> {
  return db.query<GoneInvitation>({
    name: 'deleteInvitationsBy',
    text: `DELETE FROM organization_invitations WHERE org_id = $1 AND invited_by = $2 AND role = ANY ($3)
           RETURNING id, email`,
    values: [db.org, userId, roles],
  })
}

/**
 * Deletes the invitations that an account has sent, in all organizations, and returns them.
 *
 * @reads memberships
 */
export function deleteInvitationsOf(
  db: SystemDatabase,
  userId: string,
): Promise<(GoneInvitation & { readonly org_id: string })[]> {
  return db.query({
    name: 'deleteInvitationsOf',
    text: `DELETE FROM organization_invitations i USING memberships m
           WHERE m.user_id = $1 AND i.org_id = m.org_id AND i.invited_by = m.user_id
           RETURNING i.org_id, i.id, i.email`,
    values: [userId],
  })
}

/** An invitation that can be accepted, and into what. */
export interface OpenInvitation {
  email: string
  role: MemberRole
  expires_at: string
  organization_name: string
}

/** @reads organizations */
export async function selectOpenInvitation(
  db: OrgDatabase,
  digest: Buffer,
): Promise<OpenInvitation | undefined> {
  const rows = await db.query<OpenInvitation>({
    name: 'selectOpenInvitation',
    text: `SELECT i.email, i.role, i.expires_at, o.name AS organization_name
           FROM organization_invitations i JOIN organizations o ON o.id = i.org_id
           WHERE i.org_id = $1 AND i.digest = $2 AND i.expires_at > now()
             AND o.deleted_at IS NULL AND o.suspended_at IS NULL`,
    values: [db.org, digest],
    pipelined: true,
  })
  return rows[0]
}

/**
 * Uses an invitation up, and returns it: of any number that try at once, and of accepting and revoking, one gets it.
 * None is left of an organization that was closed meanwhile.
 *
 * @reads organizations
 */
export async function takeInvitation(db: OrgDatabase, digest: Buffer): Promise<GoneInvitation | undefined> {
  const rows = await db.query<GoneInvitation>({
    name: 'takeInvitation',
    text: `DELETE FROM organization_invitations
           WHERE org_id = $1 AND digest = $2 AND expires_at > now()
             AND EXISTS (SELECT FROM organizations o
                         WHERE o.id = $1 AND o.deleted_at IS NULL AND o.suspended_at IS NULL)
           RETURNING id, email`,
    values: [db.org, digest],
  })
  return rows[0]
}

/**
 * Invitations to the user's own address, newest first: none if it is not confirmed, says the policy. An index is used
 * because equality of texts is leakproof, which case_fold(i.email) would not be.
 *
 * @reads organizations
 */
export function selectReceivedInvitations(
  db: UserDatabase,
  { email, before, limit }: { email: string; before: string | null; limit: number },
): Promise<Omit<ReceivedInvitation, 'token'>[]> {
  return db.query<Omit<ReceivedInvitation, 'token'>>({
    name: 'selectReceivedInvitations',
    text: `SELECT i.id, i.org_id AS organization_id, o.name AS organization_name, i.role, i.expires_at
           FROM organization_invitations i JOIN organizations o ON o.id = i.org_id
           WHERE i.folded_email = case_fold($1) AND ($2::uuid IS NULL OR i.id < $2) AND i.expires_at > now()
             AND o.deleted_at IS NULL AND o.suspended_at IS NULL
           ORDER BY i.id DESC LIMIT $3`,
    values: [email, before, limit],
  })
}
