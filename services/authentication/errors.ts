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

export const TooManyAttempts = defineError({
  code: 'too_many_attempts',
  status: 429,
  title: 'Too many attempts',
  detail: 'There were too many wrong passwords. Wait, or reset the password.',
})

export const NotFromPanel = defineError({
  code: 'not_from_panel',
  status: 403,
  title: 'Not sent by the panel',
  detail: "The panel's session is only for requests that its own page sends, over https or on this machine.",
})
