import { defineError } from '#lib/errors.ts'

export const InvalidOneTimeToken = defineError({
  code: 'invalid_one_time_token',
  status: 400,
  title: 'Invalid token',
  detail: 'The link is not valid any more: it was used, replaced by a newer one, or has expired.',
})
