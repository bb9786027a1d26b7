import type { Context } from '#lib/context.ts'
import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import * as userRecords from '#services/users/records.ts'
import { Membership, type OrgContext } from './membership.ts'
import * as queries from './queries.ts'

// What other services read and write of members. Nothing here asks who the actor is, so routes never import it.

/** Returns the context of an organization that is about to exist, whose first owner is the user. */
export function forNewOrganization<C extends Pick<Context, 'db'>>(
  ctx: C,
  org: string,
  user: string,
): OrgContext<C> {
  const member = new Membership({ org, user, role: 'owner', isDeleted: false })
  return { ...ctx, db: new OrgDatabase(ctx.db, org, user), member }
}

/** Adds a member; returns false if the user is one already. */
export function add(ctx: Pick<OrgContext, 'db'>, userId: string, role: MemberRole): Promise<boolean> {
  return queries.insertMembership(ctx.db, userId, role)
}

/** How many organizations the user owns. */
export async function countOwned(ctx: Pick<Context, 'db'>, userId: string): Promise<number> {
  return (await queries.selectOwnedOrganizations(new UserDatabase(ctx.db, userId))).length
}

/** Whom an account leaves behind, in the organizations that would have no owner without it. */
export interface Abandoned {
  /** Organizations with other members. */
  readonly withMembers: readonly string[]
  /** Organizations of which the account is the only member. */
  readonly empty: readonly string[]
}

/** Finds the organizations whose only owner an account is, and locks who is a member of them. */
export async function findAbandoned(ctx: Pick<Context, 'db'>, userId: string): Promise<Abandoned> {
  const withMembers: string[] = []
  const empty: string[] = []
  // Nobody makes it an owner meanwhile.
  await userRecords.lockCredentials(ctx, userId)
  for (const org of await queries.selectOwnedOrganizations(new UserDatabase(ctx.db, userId))) {
    const db = new OrgDatabase(ctx.db, org, userId)
    await queries.lockMembers(db)
    const { members, owners } = await queries.countMembers(db)
    if (owners > 1) continue
    const list = members > 1 ? withMembers : empty
    list.push(org)
  }
  return { withMembers, empty }
}
