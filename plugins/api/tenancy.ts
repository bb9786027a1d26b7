import type { FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import type { InvitationContext } from '#services/invitations/context.ts'
import { forOrganization, type Membership, type OrgContext } from '#services/members/membership.ts'
import type { Permission } from '#services/members/permissions.ts'
import { OrganizationNotFound, OrganizationSuspended } from '#services/organizations/errors.ts'
import type { OrganizationContext } from '#services/organizations/organizations.ts'
import { Forbidden } from '#services/users/errors.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<OrganizationContext, 'tenancy'>, Pick<InvitationContext, 'invitations'> {}
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The right that a member needs to call the route; every route below an organization has one. */
    permission?: Permission
  }
  interface FastifyRequest {
    /** The rights of the caller in the organization of the path. */
    membership: Membership | undefined
    /**
     * The context for services below an organization: `ctx`, or that of a transaction, with the organization's database.
     */
    inOrganization(ctx?: AppContext): OrgContext<AppContext>
  }
}

/** Path of everything that belongs to one organization. */
const BELOW_ORGANIZATION = /^\/api\/v\d+\/organizations\/:organization_id(?:\/|$)/

/**
 * Lets members of an organization call what their role permits. Anyone else gets the 404 of an organization that does not
 * exist. Warm, it costs no query; it comes before kept answers are looked for.
 */
export default fp(
  async (app) => {
    const { tenancy } = app.config
    app.addContext({
      tenancy: { perUser: tenancy.organizations_per_user, deletionGrace: tenancy.deletion_grace },
      invitations: {
        lifetimeMs: tenancy.invitation_lifetime,
        maxMembers: tenancy.members_per_organization,
        mailsPerOrganization: tenancy.invitations_per_organization,
        mailsPerAddress: tenancy.invitations_per_address,
      },
    })
    app.decorateRequest('membership', undefined)
    app.decorateRequest('inOrganization', function (this: FastifyRequest, ctx = this.ctx) {
      if (this.membership === undefined)
        throw new Error(`${this.routeOptions.url} is not below an organization`)
      return forOrganization(ctx, this.membership)
    })

    const admit =
      (permission: Permission): preHandlerAsyncHookHandler =>
      async (request) => {
        // Validated by now: the route's own schema has it.
        const { organization_id: org = '' }: { organization_id?: string } = Object(request.params)
        const { memberships } = app.ctx
        const membership =
          memberships.peek(org, request.user.id) ?? (await memberships.load(org, request.user.id))
        const isOpen = membership !== undefined && (!membership.isDeleted || permission === RESTORE)
        if (!isOpen) throw new OrganizationNotFound()
        if (membership.isSuspended) throw new OrganizationSuspended()
        if (!membership.may(permission)) throw new Forbidden()
        request.membership = membership
      }

    app.addHook('onRoute', (route) => {
      // It answers 405 to everybody.
      if (route.config?.refusesMethod) return
      const permission = route.config?.permission
      const isBelow = BELOW_ORGANIZATION.test(route.url)
      if (isBelow !== (permission !== undefined)) {
        const problem = isBelow
          ? 'names no permission'
          : 'names a permission, and is not below an organization'
        throw new Error(`${route.method} ${route.url} ${problem}`)
      }
      if (permission === undefined) return
      route.preHandler = [admit(permission), ...[route.preHandler ?? []].flat()]
    })
  },
  { name: 'tenancy', dependencies: ['context', 'idempotency', 'identity'] },
)

/** The only permission that there is in a deleted organization. */
const RESTORE: Permission = 'organization:restore'
