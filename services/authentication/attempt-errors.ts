import { defineError } from '#lib/errors.ts'

export const TooManyAttempts = defineError({
  code: 'too_many_attempts',
  status: 429,
  title: 'Too many attempts',
  detail: 'There were too many wrong passwords. Wait, or reset the password.',
})
