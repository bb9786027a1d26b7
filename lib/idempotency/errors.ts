import { defineError } from '#lib/errors.ts'

export const IdempotencyKeyReused = defineError({
  code: 'idempotency_key_reused',
  status: 409,
  title: 'Idempotency key reused',
  detail: 'This `Idempotency-Key` was used with another request.',
})
