import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import type { ApiKeyContext } from '#services/api-keys/api-keys.ts'
import { type ApiKeyCaller, forApiKey } from '#services/api-keys/caller.ts'
import { InsufficientScope } from '#services/api-keys/errors.ts'
import type { InvitationContext } from '#services/invitations/context.ts'
import { forMember, type MemberContext, Membership, type OrgContext } from '#services/members/membership.ts'
import type { Permission } from '#services/members/permissions.ts'
import { OrganizationNotFound, OrganizationSuspended } from '#services/organizations/errors.ts'
import type { OrganizationContext } from '#services/organizations/organizations.ts'
import { Forbidden } from '#services/users/errors.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext
    extends Pick<OrganizationContext, 'tenancy'>,
      Pick<InvitationContext, 'invitations'>,
      Pick<ApiKeyContext, 'apiKeysPerOrganization'> {}
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The right that a member needs to call the route, or that an API key has among its scopes; every route below an
     * organization has one.
     */
    permission?: Permission
  }
  interface FastifyRequest {
    /** Who was let into the organization of the path. */
    admitted: Membership | ApiKeyCaller | undefined
    /** Whether the caller belongs to the organization of the path, also where what they ask for is refused. */
    isMember: boolean
    /**
     * The context for services below an organization: `ctx`, or that of a transaction, with the organization's database.
     */
    inOrganization(ctx?: AppContext): OrgContext<AppContext>
    /** The same for what only people do, with the member's rights; throws in a route that takes API keys. */
    asMember(ctx?: AppContext): MemberContext<AppContext>
  }
}

/** Path of everything that belongs to one organization. */
const BELOW_ORGANIZATION = /^\/api\/v\d+\/organizations\/:organization_id(?:\/|$)/

/**
 * Lets members of an organization call what their role permits, and its API keys what their scopes do. Anyone else gets the
 * 404 of an organization that does not exist. Warm, it costs no query; it comes before kept answers are looked for.
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
      apiKeysPerOrganization: tenancy.api_keys_per_organization,
    })
    app.decorateRequest('admitted', undefined)
    app.decorateRequest('isMember', false)
    app.decorateRequest('inOrganization', function (this: FastifyRequest, ctx = this.ctx) {
      const { admitted } = this
      if (admitted === undefined) throw new Error(`${this.routeOptions.url} is not below an organization`)
      return admitted instanceof Membership ? forMember(ctx, admitted) : forApiKey(ctx, admitted)
    })
    app.decorateRequest('asMember', function (this: FastifyRequest, ctx = this.ctx) {
      if (!(this.admitted instanceof Membership))
        throw new Error(`${this.routeOptions.url} is not for members`)
      return forMember(ctx, this.admitted)
    })

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
      route.preHandler = [admit(app, permission), ...[route.preHandler ?? []].flat()]
    })
  },
  { name: 'tenancy', dependencies: ['context', 'idempotency', 'identity'] },
)

/** Makes the hook that lets in who has a permission. */
function admit(app: FastifyInstance, permission: Permission): preHandlerAsyncHookHandler {
  return async (request) => {
    // Validated by now: the route's own schema has it.
    const { organization_id: org = '' }: { organization_id?: string } = Object(request.params)
    const { principal } = request
    request.admitted =
      principal?.kind === 'api_key'
        ? admitKey(principal.key, org, permission)
        : await admitMember(app, request, org, permission)
  }
}

/** @throws OrganizationNotFound, OrganizationSuspended, InsufficientScope */
function admitKey(key: ApiKeyCaller, org: string, permission: Permission): ApiKeyCaller {
  if (key.org !== org) throw new OrganizationNotFound()
  if (key.isSuspended) throw new OrganizationSuspended()
  if (!key.may(permission)) {
    throw new InsufficientScope({ detail: `The API key does not have the scope \`${permission}\`.` })
  }
  return key
}

/** @throws OrganizationNotFound, OrganizationSuspended, Forbidden */
async function admitMember(
  { ctx: { memberships } }: FastifyInstance,
  request: FastifyRequest,
  org: string,
  permission: Permission,
): Promise<Membership> {
  const { id } = request.user
  const membership = memberships.peek(org, id) ?? (await memberships.load(org, id))
  if (membership === undefined) throw new OrganizationNotFound()
  request.isMember = true
  const mayRestore = permission === RESTORE && membership.may(RESTORE)
  if (membership.isDeleted && !mayRestore) throw new OrganizationNotFound()
  if (membership.isSuspended) throw new OrganizationSuspended()
  if (!membership.may(permission)) throw new Forbidden()
  return membership
}

/** The only permission that there is in a deleted organization. */
const RESTORE: Permission = 'organization:restore'
