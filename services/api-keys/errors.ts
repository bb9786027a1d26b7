import { defineError } from '#lib/errors.ts'

export const ApiKeyNotFound = defineError({
  code: 'api_key_not_found',
  status: 404,
  title: 'API key not found',
  detail: 'The organization has no such API key.',
})

export const ApiKeyChanged = defineError({
  code: 'api_key_changed',
  status: 412,
  title: 'API key changed',
  detail: 'The API key is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const ApiKeyEnded = defineError({
  code: 'api_key_ended',
  status: 409,
  title: 'API key ended',
  detail: 'The API key is revoked, expired or replaced by another. Create a new one.',
})

export const ApiKeyLimitReached = defineError({
  code: 'api_key_limit_reached',
  status: 409,
  title: 'API key limit reached',
  detail: 'The organization has as many API keys as it may have: revoke one that is not used.',
})

export const ApiKeyNotAllowed = defineError({
  code: 'api_key_not_allowed',
  status: 403,
  title: 'API key not allowed',
  detail: 'This is for people: it needs the access token of a user, and no API key can do it.',
})

export const InsufficientScope = defineError({
  code: 'insufficient_scope',
  status: 403,
  title: 'Insufficient scope',
  detail: 'The API key does not have the scope that this needs.',
})
