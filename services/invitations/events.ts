import { MemberRole } from '#schemas/organizations.ts'
import { defineEvent } from '#services/events/define-event.ts'

export const invitationCreated = defineEvent({
  type: 'invitations.created',
  of: 'organization',
  subject: 'invitation',
  description: 'Somebody was invited into the organization.',
  data: { role: MemberRole },
})

export const invitationResent = defineEvent({
  type: 'invitations.resent',
  of: 'organization',
  subject: 'invitation',
  description: 'An invitation was mailed again, with another link.',
  data: {},
})

export const invitationRevoked = defineEvent({
  type: 'invitations.revoked',
  of: 'organization',
  subject: 'invitation',
  description: 'An invitation was revoked.',
  data: {},
})

export const invitationDeclined = defineEvent({
  type: 'invitations.declined',
  of: 'organization',
  subject: 'invitation',
  description: 'An invitation was declined by its recipient.',
  data: {},
})
