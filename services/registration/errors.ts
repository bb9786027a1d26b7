import { defineError } from '#lib/errors.ts'

export const RegistrationClosed = defineError({
  code: 'registration_closed',
  status: 403,
  title: 'Registration closed',
  detail: 'Accounts are created by invitation only.',
})
