import { type EmittingContext, emitting } from '#services/events/emit.ts'
import { SoleOwner } from '#services/members/errors.ts'
import type { OrgContext } from '#services/members/membership.ts'
import * as memberRecords from '#services/members/records.ts'
import { OrganizationNotFound } from './errors.ts'
import { organizationDeleted } from './events.ts'
import * as queries from './queries.ts'

// What other services do to organizations. Nothing here asks who the actor is, so routes never import it.

/**
 * Returns the name of the context's organization.
 *
 * @throws OrganizationNotFound
 */
export async function getName({ db }: Pick<OrgContext, 'db'>): Promise<string> {
  const organization = await queries.selectOrganization(db)
  if (organization === undefined) throw new OrganizationNotFound()
  return organization.name
}

/**
 * Settles what an account that is about to be deleted owns: organizations without other members are deleted too. Those
 * that are closed do not keep it: nobody can hand them over, and an admin appoints another owner to one that is suspended.
 * Belongs in the transaction that deletes it.
 *
 * @throws SoleOwner when others would be left without an owner; it names the organizations
 */
export async function releaseOwned(ctx: EmittingContext, userId: string): Promise<void> {
  const { withMembers, empty } = await memberRecords.findAbandoned(ctx, userId)
  const open = []
  for (const org of withMembers) {
    const organization = await queries.selectOrganization(
      memberRecords.forNewOrganization(ctx, org, userId).db,
    )
    if (organization?.deleted_at === null && organization.suspended_at === null) open.push(org)
  }
  if (open.length > 0) throw new SoleOwner({ detail: `${SoleOwner.definition.detail} ${open.join(', ')}` })
  for (const org of empty) {
    const own = memberRecords.forNewOrganization(ctx, org, userId)
    await queries.markDeleted(emitting(own, organizationDeleted, { subject: org, data: {} }), undefined)
  }
}
