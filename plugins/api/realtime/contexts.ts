import type { AppContext } from '#plugins/infrastructure/context.ts'

/** The context whose memberships are read from the database, each time. */
export function freshContext(ctx: AppContext): AppContext {
  const { memberships } = ctx
  return withMemberships(ctx, {
    peek: () => undefined,
    load: (org, user) => memberships.reload(org, user),
  })
}

/** The context whose memberships are read by one statement if many are asked for at the same time. */
export function gatheringContext(ctx: AppContext): AppContext {
  const { memberships } = ctx
  return withMemberships(ctx, {
    peek: (org, user) => memberships.peek(org, user),
    load: (org, user) => memberships.loadTogether(org, user),
  })
}

function withMemberships(ctx: AppContext, own: Pick<AppContext['memberships'], 'peek' | 'load'>): AppContext {
  const { memberships } = ctx
  return {
    ...ctx,
    memberships: {
      ...own,
      loadTogether: (org, user) => memberships.loadTogether(org, user),
      reload: (org, user) => memberships.reload(org, user),
      forget: (org, user) => memberships.forget(org, user),
      forgetOrganization: (org) => memberships.forgetOrganization(org),
    },
  }
}
