import { changedFields, defineEvent } from '#services/events/define-event.ts'

export const userCreated = defineEvent({
  type: 'users.created',
  of: 'platform',
  subject: 'user',
  description: 'An account was created.',
  data: {},
})

export const userUpdated = defineEvent({
  type: 'users.updated',
  of: 'platform',
  subject: 'user',
  description: 'An account was changed.',
  data: { changed: changedFields('email', 'username', 'role', 'is_active') },
})

export const userDeleted = defineEvent({
  type: 'users.deleted',
  of: 'platform',
  subject: 'user',
  description: 'An account was deleted.',
  data: {},
})
