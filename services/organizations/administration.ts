import { validate as isUuid } from 'uuid'
import { because } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  AdministeredOrganization,
  AdministeredOrganizationPage,
  AppointOwner,
  ListAdministeredOrganizationsQuery,
} from '#schemas/administered-organizations.ts'
import type { ListOrganizationsQuery, OrganizationPage } from '#schemas/organizations.ts'
import { record } from '#services/audit/records.ts'
import { emitting } from '#services/events/emit.ts'
import * as memberRecords from '#services/members/records.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { OrganizationOpen, OrganizationWithoutOwner, UnknownOrganization } from './errors.ts'
import { organizationDeleted, organizationReopened, organizationSuspended } from './events.ts'
import type { OrganizationContext } from './organizations.ts'
import * as organizations from './organizations.ts'
import { selectTenantTables } from './queries.ts'
import * as queries from './queries-of-administration.ts'

// What the service's admins do with organizations, of which they need not be members. They see how many rows an
// organization has, and none of the rows.

const LIST = 'administered organizations'

/** Organizations that a search looks at in one statement, and statements of one page. */
const WINDOW = 2000
const MAX_WINDOWS = 5

/** Rows of a table that are counted for an organization of a list, and for one that somebody looks at. */
const MAX_ROWS_IN_LIST = 1000
const MAX_ROWS = 100_000

/** The admin, and the session in which it asks. */
type Admin = Actor & { readonly sessionId: string }

/**
 * Returns a page of all organizations, newest first, deleted and suspended ones included. What is searched for may be far
 * away: then the page is not full, and the next one goes on from there. The one whose slug is the text comes first.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OrganizationContext & { cursors: Cursors },
  actor: Actor,
  { limit, cursor, q }: ListAdministeredOrganizationsQuery,
): Promise<AdministeredOrganizationPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? undefined : ctx.cursors.decode(LIST, cursor)
  const db = new SystemDatabase(ctx.db)
  const text = q?.trim() || undefined
  const { ids, next } =
    text !== undefined && isUuid(text)
      ? { ids: [text], next: undefined }
      : await find(db, { text, before, limit })
  return {
    data: await queries.selectAdministered(db, await countedTables(db), { ids, most: MAX_ROWS_IN_LIST }),
    next_cursor: next === undefined ? null : ctx.cursors.encode(LIST, next),
  }
}

/**
 * Returns an organization with how much it has, and nothing of that.
 *
 * @throws Forbidden, UnknownOrganization
 */
export async function get(
  ctx: Pick<OrganizationContext, 'db'>,
  actor: Actor,
  org: string,
): Promise<AdministeredOrganization> {
  assertAdmin(actor)
  return one(new SystemDatabase(ctx.db), org)
}

/**
 * Returns a page of a user's organizations, newest first, with the role that the user has in each.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function listOfUser(
  ctx: OrganizationContext & { cursors: Cursors },
  actor: Actor,
  userId: string,
  query: ListOrganizationsQuery,
): Promise<OrganizationPage> {
  assertAdmin(actor)
  return organizations.list(ctx, { id: userId }, query)
}

/**
 * Closes an organization to its members until it is restored, or opens it again; nothing happens if it is so already. Who
 * did it is recorded, and why. One that has lost its owner meanwhile stays closed until another is appointed.
 *
 * @throws Forbidden, UnknownOrganization, OrganizationWithoutOwner
 */
export async function setSuspended(
  ctx: OrganizationContext,
  actor: Admin,
  org: string,
  { suspended, reason }: { suspended: boolean; reason: string },
): Promise<AdministeredOrganization> {
  assertAdmin(actor)
  const organization = await transaction(because(ctx, reason), async (tx) => {
    const db = new SystemDatabase(tx.db)
    const event = suspended ? organizationSuspended : organizationReopened
    const told = emitting({ ...tx, db }, event, { subject: org, org, data: {} })
    if (!(await queries.updateSuspended(told, org, suspended))) return one(db, org)
    const changed = await one(db, org)
    if (!suspended && !changed.has_owner) throw new OrganizationWithoutOwner()
    tx.log.warn({ user_id: actor.id, organization_id: org, suspended }, 'an admin changed an organization')
    return changed
  })
  ctx.memberships.forgetOrganization(org)
  ctx.apiKeys.forgetOrganization(org)
  return organization
}

/**
 * Makes a member an owner, for an organization whose owners are gone or cannot sign in; who was an owner remains one. Who
 * did it is recorded, and why.
 *
 * @throws Forbidden, UnknownOrganization, MemberNotFound
 */
export async function appointOwner(
  ctx: OrganizationContext,
  actor: Admin,
  org: string,
  { user_id, reason }: AppointOwner,
): Promise<AdministeredOrganization> {
  assertAdmin(actor)
  const organization = await transaction(because(ctx, reason), async (tx) => {
    const db = new SystemDatabase(tx.db)
    await one(db, org)
    await memberRecords.appoint(tx, org, user_id)
    tx.log.warn({ user_id: actor.id, organization_id: org, owner_id: user_id }, 'an admin appointed an owner')
    return one(db, org)
  })
  ctx.memberships.forget(org, user_id)
  return organization
}

/**
 * Has an organization that is deleted or suspended deleted for good before its time: a job deletes its rows, and nobody can
 * restore it any more. Nothing happens if that is so already. Who did it is recorded, why, and how many rows there were.
 *
 * @throws Forbidden, UnknownOrganization, OrganizationOpen
 */
export async function purge(
  ctx: OrganizationContext,
  actor: Admin,
  org: string,
  reason: string,
): Promise<AdministeredOrganization> {
  assertAdmin(actor)
  const organization = await transaction(because(ctx, reason), async (tx) => {
    const db = new SystemDatabase(tx.db)
    const closing = await queries.lockClosing(db, org)
    if (closing === undefined) throw new UnknownOrganization()
    if (closing.purge_requested_at !== null) return one(db, org)
    if (closing.deleted_at === null && closing.suspended_at === null) throw new OrganizationOpen()
    const told =
      closing.deleted_at === null
        ? emitting({ ...tx, db }, organizationDeleted, { subject: org, org, data: {} })
        : db
    await queries.markPurged(told, org)
    const purged = await one(db, org)
    const rows = purged.usage.reduce((sum, { rows }) => sum + rows, 0)
    const is_capped = purged.usage.some((counted) => counted.is_capped)
    // In the log of the service, where admins look for what they did.
    const target = { type: 'organization', id: org }
    await record(tx, { action: 'operations.purgeOrganization', target, details: { rows, is_capped } })
    tx.log.warn({ user_id: actor.id, organization_id: org, rows }, 'an admin had an organization purged')
    return purged
  })
  ctx.memberships.forgetOrganization(org)
  ctx.apiKeys.forgetOrganization(org)
  return organization
}

async function one(db: SystemDatabase, org: string): Promise<AdministeredOrganization> {
  const tables = await countedTables(db)
  const [found] = await queries.selectAdministered(db, tables, { ids: [org], most: MAX_ROWS })
  if (found === undefined) throw new UnknownOrganization()
  return found
}

interface Search {
  readonly text: string | undefined
  /** Only organizations older than this id. */
  readonly before: string | undefined
  readonly limit: number
}

/** A page of ids, and the last that was looked at; undefined when there are no more. */
interface Found {
  readonly ids: string[]
  readonly next: string | undefined
}

async function find(db: SystemDatabase, { text, before, limit }: Search): Promise<Found> {
  const isFirst = before === undefined
  const exact = text !== undefined && isFirst ? await queries.selectIdBySlug(db, text) : undefined
  const first = exact === undefined ? [] : [exact]
  const room = limit - first.length
  if (room === 0) return { ids: first, next: queries.BEYOND }
  const { ids, next } = await lookFor(db, { text, before, limit: room })
  return { ids: [...first, ...ids], next }
}

/** Looks through some windows, so that a page takes the same time however rare the text is (decision 104). */
async function lookFor(db: SystemDatabase, { text, before, limit }: Search): Promise<Found> {
  const ids: string[] = []
  const window = text === undefined ? limit + 1 : WINDOW
  let position = before ?? queries.BEYOND
  for (let count = 1; ; count++) {
    const wanted = { text: text ?? null, before: position, limit: limit + 1 - ids.length, window }
    const { found, looked, last } = await queries.selectOrganizationPiece(db, wanted)
    ids.push(...found)
    if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1] }
    if (looked < window || last === null) return { ids, next: undefined }
    if (count === MAX_WINDOWS) return { ids, next: last }
    position = last
  }
}

/** A table that is added later is counted too. */
async function countedTables(db: SystemDatabase): Promise<string[]> {
  return ['memberships', ...(await selectTenantTables(db))]
}
