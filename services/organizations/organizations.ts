import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import { brokenConstraint } from '#lib/database/errors.ts'
import { UserDatabase } from '#lib/database/scoped-database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  CreateOrganization,
  ListOrganizationsQuery,
  Organization,
  OrganizationPage,
  UpdateOrganization,
} from '#schemas/organizations.ts'
import { namesOf } from '#services/events/define-event.ts'
import { emitting } from '#services/events/emit.ts'
import type { MembershipsContext } from '#services/members/members.ts'
import type { MemberContext, OrgContext } from '#services/members/membership.ts'
import * as memberRecords from '#services/members/records.ts'
import * as userRecords from '#services/users/records.ts'
import type { Actor, ExpectedVersions } from '#services/users/users.ts'
import { OrganizationChanged, OrganizationLimitReached, OrganizationNotFound, SlugTaken } from './errors.ts'
import {
  organizationCreated,
  organizationDeleted,
  organizationRestored,
  organizationUpdated,
} from './events.ts'
import * as queries from './queries.ts'

/** The parts that work on organizations needs. */
export interface OrganizationContext extends MembershipsContext {
  /** Makes this instance forget an organization's keys at once. */
  readonly apiKeys: { forgetOrganization(org: string): void }
  readonly tenancy: {
    /** Organizations that one account may own. */
    readonly perUser: number
    /** Milliseconds for which a deleted organization can be restored. */
    readonly deletionGrace: number
  }
}

/** Position in a list is that of one user. */
const listOf = (actor: Pick<Actor, 'id'>) => `organizations:${actor.id}`

/**
 * Creates an organization, whose owner the actor is.
 *
 * @throws OrganizationLimitReached, SlugTaken
 */
export async function create(
  ctx: OrganizationContext,
  actor: Pick<Actor, 'id'>,
  input: CreateOrganization,
): Promise<Organization> {
  return transaction(ctx, async (tx) => {
    // Others of the same user wait, so that each counts those before it.
    await userRecords.lockCredentials(tx, actor.id)
    if ((await memberRecords.countOwned(tx, actor.id)) >= tx.tenancy.perUser)
      throw new OrganizationLimitReached()
    const own = memberRecords.forNewOrganization(tx, uuidv7(), actor.id)
    const told = emitting(own, organizationCreated, { subject: own.db.org, data: {} })
    const organization = present(await named(queries.insertOrganization(told, input)))
    await memberRecords.add(own, actor.id, 'owner')
    return { ...organization, role: 'owner' }
  })
}

/**
 * Returns a page of the actor's organizations, newest first.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: Pick<OrganizationContext, 'db' | 'tenancy'> & { cursors: Cursors },
  actor: Pick<Actor, 'id'>,
  { limit, cursor }: ListOrganizationsQuery,
): Promise<OrganizationPage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(actor), cursor)
  const db = new UserDatabase(ctx.db, actor.id)
  const grace = ctx.tenancy.deletionGrace
  const organizations = await queries.selectOrganizations(db, { before, limit: limit + 1, grace })
  return ctx.cursors.page(listOf(actor), organizations, limit)
}

/**
 * Returns the context's organization.
 *
 * @throws OrganizationNotFound
 */
export async function get(ctx: MemberContext): Promise<Organization> {
  return { ...present(await queries.selectOrganization(ctx.db)), role: ctx.member.role }
}

/**
 * Changes the context's organization.
 *
 * @throws OrganizationNotFound, OrganizationChanged, SlugTaken
 */
export async function update(
  ctx: MemberContext,
  changes: UpdateOrganization,
  versions: ExpectedVersions,
): Promise<Organization> {
  const data = { changed: namesOf(changes) }
  const told = emitting(ctx, organizationUpdated, { subject: ctx.db.org, data })
  const organization = await named(queries.updateOrganization(told, changes, versions))
  if (organization === undefined) return missing(ctx)
  return { ...organization, role: ctx.member.role }
}

/**
 * Deletes the context's organization: at once for its members, and for good after the grace.
 *
 * @throws OrganizationNotFound, OrganizationChanged
 */
export async function remove(
  ctx: MemberContext<OrganizationContext>,
  versions: ExpectedVersions,
): Promise<void> {
  const told = emitting(ctx, organizationDeleted, { subject: ctx.db.org, data: {} })
  if (!(await queries.markDeleted(told, versions))) await missing(ctx)
  forget(ctx)
}

/**
 * Takes the deletion of the context's organization back; nothing happens if it is not deleted.
 *
 * @throws OrganizationNotFound, also after the grace, when its rows may be gone already
 */
export async function restore(ctx: MemberContext<OrganizationContext>): Promise<Organization> {
  const told = emitting(ctx, organizationRestored, { subject: ctx.db.org, data: {} })
  await queries.unmarkDeleted(told, ctx.tenancy.deletionGrace)
  forget(ctx)
  const organization = await get(ctx)
  if (organization.deleted_at !== null) throw new OrganizationNotFound()
  return organization
}

/** Who may do what in the organization has changed. */
function forget({ db, memberships, apiKeys }: MemberContext<OrganizationContext>): void {
  memberships.forgetOrganization(db.org)
  apiKeys.forgetOrganization(db.org)
}

/** Says why a change found no row: the organization is gone, or is another version than expected. */
async function missing(ctx: OrgContext): Promise<never> {
  const organization = await queries.selectOrganization(ctx.db)
  const isThere = organization !== undefined && organization.deleted_at === null
  throw isThere ? new OrganizationChanged() : new OrganizationNotFound()
}

function present<T>(organization: T | undefined): T {
  if (organization === undefined) throw new OrganizationNotFound()
  return organization
}

async function named<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (brokenConstraint(error) === 'organizations_slug_key') throw new SlugTaken({ cause: error })
    throw error
  }
}
