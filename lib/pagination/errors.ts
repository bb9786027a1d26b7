import { defineError } from '#lib/errors.ts'

export const InvalidCursor = defineError({
  code: 'invalid_cursor',
  status: 400,
  title: 'Invalid cursor',
  detail: 'The cursor does not belong to this list.',
})
