import { defineError } from '#lib/errors.ts'

export const InvalidCursor = defineError({
  code: 'invalid_cursor',
  status: 400,
  title: 'Invalid cursor',
  detail: 'The cursor is not one that this list gave out.',
})
