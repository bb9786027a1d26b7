import { defineError } from '#lib/errors.ts'

export const IdempotencyKeyReused = defineError({
  code: 'idempotency_key_reused',
  status: 409,
  title: 'Idempotency key reused',
  detail: 'This `Idempotency-Key` was used with another request.',
})

export const IdempotencyAnswerLost = defineError({
  code: 'idempotency_answer_lost',
  status: 409,
  title: 'Answer lost',
  detail: 'The request with this `Idempotency-Key` was done, and its answer cannot be read any more.',
})
