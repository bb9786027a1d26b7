import { because } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  AdministeredOrganization,
  AdministeredOrganizationPage,
  ListAdministeredOrganizationsQuery,
} from '#schemas/administered-organizations.ts'
import type { ListOrganizationsQuery, OrganizationPage } from '#schemas/organizations.ts'
import { emitting } from '#services/events/emit.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { UnknownOrganization } from './errors.ts'
import { organizationReopened, organizationSuspended } from './events.ts'
import type { OrganizationContext } from './organizations.ts'
import * as organizations from './organizations.ts'
import * as queries from './queries.ts'

// What the service's admins do with organizations, of which they need not be members. They see how many rows an
// organization has, and none of the rows.

const LIST = 'administered organizations'

/** The admin, and the session in which it asks. */
type Admin = Actor & { readonly sessionId: string }

/**
 * Returns a page of all organizations, newest first, deleted and suspended ones included.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OrganizationContext & { cursors: Cursors },
  actor: Actor,
  { limit, cursor }: ListAdministeredOrganizationsQuery,
): Promise<AdministeredOrganizationPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const db = new SystemDatabase(ctx.db)
  const organizations = await queries.selectAdministered(db, await countedTables(db), {
    before,
    limit: limit + 1,
  })
  return ctx.cursors.page(LIST, organizations, limit)
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
 * did it is recorded, and why.
 *
 * @throws Forbidden, UnknownOrganization
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
    if (await queries.updateSuspended(told, org, suspended)) {
      tx.log.warn({ user_id: actor.id, organization_id: org, suspended }, 'an admin changed an organization')
    }
    const [found] = await queries.selectAdministered(db, await countedTables(db), { only: org, limit: 1 })
    if (found === undefined) throw new UnknownOrganization()
    return found
  })
  ctx.memberships.forgetOrganization(org)
  ctx.apiKeys.forgetOrganization(org)
  return organization
}

/** A table that is added later is counted too. */
async function countedTables(db: SystemDatabase): Promise<string[]> {
  return ['memberships', ...(await queries.selectTenantTables(db))]
}
