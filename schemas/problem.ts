import { type Static, Type } from '@sinclair/typebox'

/** One thing that is wrong with a request. */
const InvalidValue = Type.Object(
  {
    pointer: Type.String({
      description: 'JSON Pointer (RFC 6901) into the request: `/body/...`, `/query/...`, `/params/...`.',
      examples: ['/body/email'],
    }),
    message: Type.String({ description: 'What is wrong with the value.', examples: ['is required'] }),
  },
  { additionalProperties: false },
)

/** The body of every error response: a problem document (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({
      description: 'URI that identifies the kind of problem; it carries the `code`.',
      examples: ['urn:problem-type:validation_failed'],
    }),
    title: Type.String({ description: 'The kind of problem in words.', examples: ['Invalid request'] }),
    status: Type.Integer({
      minimum: 400,
      maximum: 599,
      description: 'The HTTP status code.',
      examples: [400],
    }),
    detail: Type.String({
      description: 'What went wrong this time, for people.',
      examples: ['The request has 1 invalid value.'],
    }),
    code: Type.String({
      description: 'Stable identifier of the problem, for programs.',
      examples: ['validation_failed'],
    }),
    request_id: Type.String({
      description: 'Identifies the request in our logs; the same as the `x-request-id` header.',
      examples: ['01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'],
    }),
    errors: Type.Optional(
      Type.Array(InvalidValue, { description: 'Present when values of the request are invalid.' }),
    ),
  },
  { $id: 'Problem', additionalProperties: false, description: 'A problem document (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
export type InvalidValue = Static<typeof InvalidValue>
