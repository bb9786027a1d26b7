import { defineError } from '#lib/errors.ts'

export const CurrentPasswordRequired = defineError({
  code: 'current_password_required',
  status: 400,
  title: 'Current password required',
  detail: 'A change of your own email address needs `current_password`.',
})

export const WrongPassword = defineError({
  code: 'wrong_password',
  status: 403,
  title: 'Wrong password',
  detail: 'The current password is wrong.',
})
