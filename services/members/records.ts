import type { Context } from '#lib/context.ts'
import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import { type EmittingContext, emitting } from '#services/events/emit.ts'
import { Forbidden } from '#services/users/errors.ts'
import * as userRecords from '#services/users/records.ts'
import { MemberLimitReached, MemberNotFound } from './errors.ts'
import { memberAdded, memberUpdated } from './events.ts'
import { type MemberContext, Membership, type OrgContext } from './membership.ts'
import { isAtLeast } from './permissions.ts'
import * as queries from './queries.ts'

// What other services read and write of members. Nothing here asks who the actor is, so routes never import it.

/** Returns the context of an organization that is about to exist, whose first owner is the user. */
export function forNewOrganization<C extends Pick<Context, 'db'>>(
  ctx: C,
  org: string,
  user: string,
): MemberContext<C> {
  const member = new Membership({ org, user, role: 'owner', isDeleted: false, isSuspended: false })
  return { ...ctx, db: new OrgDatabase(ctx.db, org, user), member }
}

/** Has changes of the organization and of who its members are wait until the transaction ends. */
export function lock(ctx: Pick<OrgContext, 'db'>): Promise<void> {
  return queries.lockMembers(ctx.db)
}

/**
 * Waits for other changes of members, and reads again what the actor is, who may have changed since the request was let
 * in.
 *
 * @throws Forbidden
 */
export async function lockAsActor(ctx: MemberContext): Promise<void> {
  await queries.lockMembers(ctx.db)
  const actor = await queries.selectMembership(ctx.db, ctx.member.user)
  if (actor === undefined || !isAtLeast(actor.role, ctx.member.role)) throw new Forbidden()
}

/** Addresses of those who look after the organization. */
export function findAdministrators(ctx: Pick<OrgContext, 'db'>): Promise<string[]> {
  return queries.selectAdministrators(ctx.db)
}

/** Whether a member's account has this address. */
export function hasAddress(ctx: Pick<OrgContext, 'db'>, email: string): Promise<boolean> {
  return queries.selectMemberExists(ctx.db, email)
}

/**
 * Adds a member if there is a place; one who is a member already stays as they are. Belongs behind `lock`.
 *
 * @returns the role that the member has now
 * @throws MemberLimitReached
 */
export async function admit(
  ctx: EmittingContext & Pick<OrgContext, 'db'>,
  userId: string,
  role: MemberRole,
  limit: number,
): Promise<MemberRole> {
  const actor = { kind: 'user', id: userId } as const
  const told = emitting(ctx, memberAdded, { subject: userId, actor, data: { role } })
  if (!(await queries.insertMembership(told, userId, role))) {
    return (await queries.selectMembership(ctx.db, userId))?.role ?? role
  }
  if ((await queries.countMembers(ctx.db)) > limit) throw new MemberLimitReached()
  return role
}

/** Adds a member; returns false if the user is one already. */
export function add(ctx: Pick<OrgContext, 'db'>, userId: string, role: MemberRole): Promise<boolean> {
  return queries.insertMembership(ctx.db, userId, role)
}

/**
 * Makes a member an owner; one who is stays so. Who was an owner remains one.
 *
 * @throws MemberNotFound, also for one who cannot sign in
 */
export async function appoint(ctx: EmittingContext, org: string, userId: string): Promise<void> {
  // Who deletes the account meanwhile has settled what it owns.
  const user = await userRecords.lockCredentials(ctx, userId)
  const db = new OrgDatabase(ctx.db, org)
  await queries.lockMembers(db)
  const member = await queries.selectMembership(db, userId)
  if (member === undefined || !user?.is_active) throw new MemberNotFound()
  if (member.role === 'owner') return
  const told = emitting({ ...ctx, db }, memberUpdated, { subject: userId, data: { role: 'owner' } })
  await queries.updateMembershipRole(told, userId, 'owner')
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
    if (await queries.selectOwnerExists(db, userId)) continue
    const list = (await queries.countMembers(db)) > 1 ? withMembers : empty
    list.push(org)
  }
  return { withMembers, empty }
}
