import { Type } from '@sinclair/typebox'

/** Visible ASCII without `"` and `\`, so that a quoted key (RFC 9651 section 3.3.3) needs no escapes. */
const CHARACTERS = '[!#-\\[\\]-~]{1,255}'

/**
 * Headers of a request that creates something. The key may come with quotes, as the IETF's draft
 * (draft-ietf-httpapi-idempotency-key-header) has it, or without, as most clients send it.
 */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      maxLength: 257,
      pattern: `^(?:"${CHARACTERS}"|${CHARACTERS})$`,
      'x-message': 'must be 1 to 255 visible ASCII characters without `"` and `\\`, in quotes or not',
      description:
        'Makes the request safe to repeat: with the same key and body, for 24 hours, nothing is created again ' +
        'and the answer is the first one. A random UUID for each thing to create. Optional.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'],
    }),
  ),
})
