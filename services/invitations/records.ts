import type { MemberRole } from '#schemas/organizations.ts'
import type { OrgContext } from '#services/members/membership.ts'
import { isAtLeast, PERMISSIONS } from '#services/members/permissions.ts'
import * as queries from './queries.ts'

// What other services do to invitations. Nothing here asks who the actor is, so routes never import it.

const ROLES: readonly MemberRole[] = ['member', 'admin', 'owner']

/**
 * Withdraws what a member has sent and could not send any more in this role. Of one who is removed, the table's foreign
 * key takes them all.
 */
export async function withdrawBeyond(
  { db }: Pick<OrgContext, 'db'>,
  userId: string,
  role: MemberRole,
): Promise<void> {
  const mayInvite = isAtLeast(role, PERMISSIONS['invitations:write'])
  const beyond = ROLES.filter((invited) => !mayInvite || !isAtLeast(role, invited))
  if (beyond.length > 0) await queries.deleteInvitationsBy(db, userId, beyond)
}
