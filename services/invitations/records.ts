import type { Context } from '#lib/context.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import type { OrgContext } from '#services/members/membership.ts'
import { isAtLeast, PERMISSIONS } from '#services/members/permissions.ts'
import * as queries from './queries.ts'
import { tellFate } from './telling.ts'

// What other services do to invitations. Nothing here asks who the actor is, so routes never import it.

const ROLES: readonly MemberRole[] = ['member', 'admin', 'owner']

type WithdrawingContext = Pick<OrgContext, 'db'> & { readonly jobs: Jobs }

/** Withdraws what a member has sent and could not send any more in this role. */
export async function withdrawBeyond(
  ctx: WithdrawingContext,
  userId: string,
  role: MemberRole,
): Promise<void> {
  const mayInvite = isAtLeast(role, PERMISSIONS['invitations:write'])
  await withdraw(
    ctx,
    userId,
    ROLES.filter((invited) => !mayInvite || !isAtLeast(role, invited)),
  )
}

/**
 * Withdraws all that a member has sent who is about to be removed. The table's foreign key would take them too, and tell
 * nobody.
 */
export function withdrawAll(ctx: WithdrawingContext, userId: string): Promise<void> {
  return withdraw(ctx, userId, ROLES)
}

/** The same for an account that is about to be deleted, in all organizations. */
export async function withdrawAllOf(
  { db, jobs }: Pick<Context, 'db'> & { readonly jobs: Jobs },
  userId: string,
): Promise<void> {
  const system = new SystemDatabase(db)
  for (const [org, gone] of Map.groupBy(
    await queries.deleteInvitationsOf(system, userId),
    ({ org_id }) => org_id,
  ))
    await tellFate({ db: new OrgDatabase(db, org), jobs }, gone, 'revoked')
}

async function withdraw(ctx: WithdrawingContext, userId: string, roles: readonly MemberRole[]) {
  if (roles.length === 0) return
  await tellFate(ctx, await queries.deleteInvitationsBy(ctx.db, userId, roles), 'revoked')
}
