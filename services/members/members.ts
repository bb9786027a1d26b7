import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { ListMembersQuery, Member, MemberPage } from '#schemas/members.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import { emitting } from '#services/events/emit.ts'
import * as invitationRecords from '#services/invitations/records.ts'
import { ownershipTransferred } from '#services/organizations/events.ts'
import { Forbidden } from '#services/users/errors.ts'
import * as userRecords from '#services/users/records.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import { LastOwner, MemberChanged, MemberNotFound } from './errors.ts'
import { memberRemoved, memberUpdated } from './events.ts'
import type { MemberContext, OrgContext } from './membership.ts'
import type { Memberships } from './memberships.ts'
import { isAtLeast } from './permissions.ts'
import * as queries from './queries.ts'

/** The parts that work on an organization's members needs. */
export interface MembershipsContext extends Context {
  readonly memberships: Omit<Memberships, 'forgetAll'>
}

/** The parts that changes of members need. */
interface ChangingContext extends MembershipsContext {
  readonly jobs: Jobs
}

/** Position in a list is that of one organization, so a cursor of another is refused. */
const listOf = (ctx: OrgContext) => `members:${ctx.db.org}`

/**
 * Returns a page of the organization's members, oldest account first.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: OrgContext<Context & { cursors: Cursors }>,
  { limit, cursor }: ListMembersQuery,
): Promise<MemberPage> {
  const after = cursor === undefined ? null : ctx.cursors.decode(listOf(ctx), cursor)
  const members = await queries.selectMembers(ctx.db, { after, limit: limit + 1 })
  const data = members.slice(0, limit)
  const last = members.length > limit ? data.at(-1) : undefined
  return { data, next_cursor: last === undefined ? null : ctx.cursors.encode(listOf(ctx), last.user_id) }
}

/**
 * Returns a member.
 *
 * @throws MemberNotFound
 */
export async function get(ctx: OrgContext, userId: string): Promise<Member> {
  const member = await queries.selectMember(ctx.db, userId)
  if (member === undefined) throw new MemberNotFound()
  return member
}

/**
 * Changes a member's role. Only owners touch owners, and nobody grants more than they have. Invitations that the member
 * has sent and could send no more are withdrawn.
 *
 * @throws MemberNotFound, MemberChanged, Forbidden, LastOwner
 */
export async function update(
  ctx: MemberContext<ChangingContext>,
  userId: string,
  role: MemberRole,
  versions: ExpectedVersions,
): Promise<Member> {
  const changed = await transaction(ctx, async (tx) => {
    if (role === 'owner') await userRecords.lockCredentials(tx, userId)
    const member = await lock(tx, userId, versions)
    if (!isAtLeast(tx.member.role, role)) throw new Forbidden()
    if (member.role === role) return member
    if (member.role === 'owner') await assertOwned(tx, userId)
    const told = emitting(tx, memberUpdated, { subject: userId, data: { role } })
    await queries.updateMembershipRole(told, userId, role)
    await invitationRecords.withdrawBeyond(tx, userId, role)
    return get(tx, userId)
  })
  ctx.memberships.forget(ctx.member.org, userId)
  return changed
}

/**
 * Removes a member; only owners remove owners.
 *
 * @throws MemberNotFound, MemberChanged, Forbidden, LastOwner
 */
export async function remove(
  ctx: MemberContext<ChangingContext>,
  userId: string,
  versions: ExpectedVersions,
): Promise<void> {
  await transaction(ctx, async (tx) => end(tx, await lock(tx, userId, versions)))
  ctx.memberships.forget(ctx.member.org, userId)
}

/**
 * Removes the actor, who may leave with any role, also with one that was given meanwhile.
 *
 * @throws MemberNotFound, LastOwner
 */
export async function leave(ctx: MemberContext<ChangingContext>): Promise<void> {
  const { org, user } = ctx.member
  await transaction(ctx, async (tx) => {
    await queries.lockMembers(tx.db)
    await end(tx, await get(tx, user))
  })
  ctx.memberships.forget(org, user)
}

/**
 * Makes another member an owner, and the actor, who is one, an admin.
 *
 * @throws MemberNotFound, Forbidden, LastOwner
 */
export async function transferOwnership(
  ctx: MemberContext<ChangingContext>,
  userId: string,
): Promise<Member> {
  const { org, user } = ctx.member
  const owner = await transaction(ctx, async (tx) => {
    // Who deletes the account meanwhile has settled what it owns.
    await userRecords.lockCredentials(tx, userId)
    await lock(tx, userId, undefined)
    if (userId === user) return get(tx, userId)
    await queries.updateMembershipRole(tx.db, userId, 'owner')
    const told = emitting(tx, ownershipTransferred, { subject: org, data: { from: user, to: userId } })
    await queries.updateMembershipRole(told, user, 'admin')
    await assertOwned(tx, null)
    await invitationRecords.withdrawBeyond(tx, user, 'admin')
    return get(tx, userId)
  })
  for (const changed of [userId, user]) ctx.memberships.forget(org, changed)
  return owner
}

/** Ends a membership. Belongs behind a lock. */
async function end(ctx: MemberContext<ChangingContext>, { user_id, role }: Member): Promise<void> {
  if (role === 'owner') await assertOwned(ctx, user_id)
  await invitationRecords.withdrawAll(ctx, user_id)
  await queries.deleteMembership(emitting(ctx, memberRemoved, { subject: user_id, data: {} }), user_id)
}

/**
 * Waits for other changes of members, and then reads again what the actor and the member are: either may have changed
 * since the request was let in.
 *
 * @throws MemberNotFound, MemberChanged, Forbidden
 */
async function lock(ctx: MemberContext, userId: string, versions: ExpectedVersions): Promise<Member> {
  await queries.lockMembers(ctx.db)
  const actor = await queries.selectMembership(ctx.db, ctx.member.user)
  const member = await get(ctx, userId)
  if (actor === undefined || !isAtLeast(actor.role, ctx.member.role)) throw new Forbidden()
  if (member.role === 'owner' && actor.role !== 'owner') throw new Forbidden()
  if (versions !== undefined && !versions.includes(member.updated_at)) throw new MemberChanged()
  return member
}

/** Refuses to leave an organization without an owner who can sign in, when one is an owner no more. */
async function assertOwned(ctx: OrgContext, beside: string | null): Promise<void> {
  if (!(await queries.selectOwnerExists(ctx.db, beside))) throw new LastOwner()
}
