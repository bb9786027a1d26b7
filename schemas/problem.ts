import { type Static, Type } from '@sinclair/typebox'
import { StringEnum } from './primitives.ts'

/** Codes of invalid values; docs/api/errors.md has a line for each. */
const INVALID_VALUE_CODES = [
  'required',
  'unknown_property',
  'wrong_type',
  'not_one_of',
  'invalid_format',
  'undeliverable_address',
  'refused_host',
  'too_short',
  'too_long',
  'too_small',
  'too_large',
  'not_a_multiple',
  'too_few_items',
  'too_many_items',
  'not_unique',
  'too_few_properties',
  'too_many_properties',
  'no_match',
  'too_deep',
  'invalid_text',
] as const
export type InvalidValueCode = (typeof INVALID_VALUE_CODES)[number]

/** Invalid values that an answer names at most. */
export const MAX_INVALID_VALUES = 20

/** Longest pointer of an invalid value; a longer one is cut and ends with an ellipsis. */
export const MAX_POINTER_LENGTH = 256

const bound = (description: string, example: number) =>
  Type.Optional(Type.Number({ description, examples: [example] }))

/** The limits that the message names, for programs that write their own. */
const InvalidValueParams = Type.Object(
  {
    types: Type.Optional(
      Type.Array(Type.String(), { description: 'With `wrong_type`: JSON types that are accepted.' }),
    ),
    allowed: Type.Optional(
      Type.Array(Type.String(), { description: 'With `not_one_of`: values that are accepted.' }),
    ),
    format: Type.Optional(
      Type.String({ description: 'With `invalid_format`: name of the format.', examples: ['uuid'] }),
    ),
    min_length: bound('With `too_short`: minimum number of characters.', 8),
    max_length: bound('With `too_long`: maximum number of characters.', 128),
    minimum: bound('With `too_small`: the smallest number.', 1),
    exclusive_minimum: bound('With `too_small`: a number that the value must be above.', 0),
    maximum: bound('With `too_large`: the largest number.', 100),
    exclusive_maximum: bound('With `too_large`: a number that the value must be below.', 100),
    multiple_of: bound('With `not_a_multiple`: a number that must divide the value.', 5),
    min_items: bound('With `too_few_items`: minimum number of items.', 1),
    max_items: bound('With `too_many_items`: maximum number of items.', 10),
    min_properties: bound('With `too_few_properties`: minimum number of properties.', 1),
    max_properties: bound('With `too_many_properties`: maximum number of properties.', 10),
    max_depth: bound('With `too_deep`: maximum depth of arrays and objects.', 64),
  },
  { additionalProperties: false, description: 'Parameters of the message; empty when it has none.' },
)
export type InvalidValueParams = Static<typeof InvalidValueParams>

/** One thing that is wrong with a request. */
const InvalidValue = Type.Object(
  {
    pointer: Type.String({
      maxLength: MAX_POINTER_LENGTH,
      description:
        'JSON Pointer (RFC 6901) into the request: `/body/...`, `/query/...`, `/params/...`, `/headers/...`. ' +
        'Very long names are cut.',
      examples: ['/body/password'],
    }),
    code: StringEnum(INVALID_VALUE_CODES, {
      description: 'What is wrong, for programs; it does not change.',
      examples: ['too_short'],
    }),
    message: Type.String({
      description: 'What is wrong, for people; to be read after the name of the value.',
      examples: ['must have at least 8 characters'],
    }),
    params: InvalidValueParams,
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
      Type.Array(InvalidValue, {
        maxItems: MAX_INVALID_VALUES,
        description: `Invalid values of the request, the first ${MAX_INVALID_VALUES} at most.`,
      }),
    ),
  },
  { $id: 'Problem', additionalProperties: false, description: 'A problem document (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
export type InvalidValue = Static<typeof InvalidValue>
