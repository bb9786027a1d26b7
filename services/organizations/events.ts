import { Uuid } from '#schemas/primitives.ts'
import { changedFields, defineEvent } from '#services/events/define-event.ts'

export const organizationCreated = defineEvent({
  type: 'organizations.created',
  of: 'organization',
  subject: 'organization',
  description: 'An organization was created.',
  data: {},
})

export const organizationUpdated = defineEvent({
  type: 'organizations.updated',
  of: 'organization',
  subject: 'organization',
  description: 'An organization was changed.',
  data: { changed: changedFields('name', 'slug') },
})

export const organizationDeleted = defineEvent({
  type: 'organizations.deleted',
  of: 'organization',
  subject: 'organization',
  description: 'An organization was deleted; an owner can restore it for a while.',
  data: {},
})

export const organizationRestored = defineEvent({
  type: 'organizations.restored',
  of: 'organization',
  subject: 'organization',
  description: 'The deletion of an organization was taken back.',
  data: {},
})

export const organizationSuspended = defineEvent({
  type: 'organizations.suspended',
  of: 'organization',
  subject: 'organization',
  description: 'An organization was closed to its members by an admin of the service.',
  data: {},
})

export const organizationReopened = defineEvent({
  type: 'organizations.reopened',
  of: 'organization',
  subject: 'organization',
  description: 'A suspended organization was opened again.',
  data: {},
})

export const ownershipTransferred = defineEvent({
  type: 'organizations.ownership_transferred',
  of: 'organization',
  subject: 'organization',
  description: 'A member handed the ownership over to another, and became an admin.',
  data: {
    from: Uuid('The user who was an owner.'),
    to: Uuid('The user who is one now.'),
  },
})
