import { defineEvent } from '#services/events/define-event.ts'

export const passwordChanged = defineEvent({
  type: 'users.password_changed',
  of: 'platform',
  subject: 'user',
  description: 'A user changed the password; the other sessions ended.',
  data: {},
})

export const passwordReset = defineEvent({
  type: 'users.password_reset',
  of: 'platform',
  subject: 'user',
  description: 'A password was set by a mailed link; all sessions ended.',
  data: {},
})

export const emailChangeRequested = defineEvent({
  type: 'users.email_change_requested',
  of: 'platform',
  subject: 'user',
  description: 'A user asked for another address, which is not confirmed yet.',
  data: {},
})

export const emailChanged = defineEvent({
  type: 'users.email_changed',
  of: 'platform',
  subject: 'user',
  description: 'A user confirmed another address.',
  data: {},
})

export const emailVerified = defineEvent({
  type: 'users.email_verified',
  of: 'platform',
  subject: 'user',
  description: 'A user confirmed the address.',
  data: {},
})
