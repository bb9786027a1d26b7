import { defineError } from '#lib/errors.ts'

export const OrganizationNotFound = defineError({
  code: 'organization_not_found',
  status: 404,
  title: 'Organization not found',
  detail: 'You are not a member of an organization with this id.',
})

export const OrganizationChanged = defineError({
  code: 'organization_changed',
  status: 412,
  title: 'Organization changed',
  detail: 'The organization is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const SlugTaken = defineError({
  code: 'slug_taken',
  status: 409,
  title: 'Slug taken',
  detail: 'Another organization has this slug.',
})

export const OrganizationLimitReached = defineError({
  code: 'organization_limit_reached',
  status: 409,
  title: 'Organization limit reached',
  detail: 'You own as many organizations as one account may own.',
})

export const OrganizationSuspended = defineError({
  code: 'organization_suspended',
  status: 403,
  title: 'Organization suspended',
  detail:
    'The operator of the service has suspended the organization: nothing of it is available until it is restored.',
})

export const UnknownOrganization = defineError({
  code: 'unknown_organization',
  status: 404,
  title: 'Unknown organization',
  detail: 'There is no organization with this id.',
})

export const OrganizationWithoutOwner = defineError({
  code: 'organization_without_owner',
  status: 409,
  title: 'Organization without an owner',
  detail: 'No owner of the organization can sign in: appoint a member before it is restored.',
})

export const OrganizationOpen = defineError({
  code: 'organization_open',
  status: 409,
  title: 'Organization open',
  detail: 'The organization is neither deleted nor suspended: suspend it first.',
})
