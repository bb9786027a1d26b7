import { Uuid } from '#schemas/primitives.ts'
import { changedFields, defineEvent } from '#services/events/define-event.ts'

export const apiKeyCreated = defineEvent({
  type: 'api_keys.created',
  of: 'organization',
  subject: 'api_key',
  description: 'An API key was created.',
  data: {},
})

export const apiKeyUpdated = defineEvent({
  type: 'api_keys.updated',
  of: 'organization',
  subject: 'api_key',
  description: 'An API key was changed.',
  data: { changed: changedFields('name', 'scopes', 'allowed_networks', 'is_disabled') },
})

export const apiKeyRotated = defineEvent({
  type: 'api_keys.rotated',
  of: 'organization',
  subject: 'api_key',
  description: 'Another API key took the place of one, which is accepted for a grace.',
  data: { replaced_by: Uuid('The new key.') },
})

export const apiKeyRevoked = defineEvent({
  type: 'api_keys.revoked',
  of: 'organization',
  subject: 'api_key',
  description: 'An API key was revoked.',
  data: {},
})
