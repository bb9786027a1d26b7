import { MemberRole } from '#schemas/organizations.ts'
import { defineEvent } from '#services/events/define-event.ts'

export const memberAdded = defineEvent({
  type: 'members.added',
  of: 'organization',
  subject: 'user',
  description: 'A user became a member of the organization, by an invitation.',
  data: { role: MemberRole },
})

export const memberUpdated = defineEvent({
  type: 'members.updated',
  of: 'organization',
  subject: 'user',
  description: 'A member got another role.',
  data: { role: MemberRole },
})

export const memberRemoved = defineEvent({
  type: 'members.removed',
  of: 'organization',
  subject: 'user',
  description: 'A member left the organization, or was removed.',
  data: {},
})
