import { defineError } from '#lib/errors.ts'

export const InvalidCredentials = defineError({
  code: 'invalid_credentials',
  status: 401,
  title: 'Invalid credentials',
  detail: 'No active account has this email address and password.',
})

export const Unauthenticated = defineError({
  code: 'unauthenticated',
  status: 401,
  title: 'Not signed in',
  detail: 'This needs a valid access token: `Authorization: Bearer ...`.',
})
