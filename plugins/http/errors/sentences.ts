import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { InvalidValue, InvalidValueCode, InvalidValueParams } from '#schemas/problem.ts'

type Description = Omit<InvalidValue, 'pointer'>
type Describe = (
  params: Readonly<Record<string, unknown>>,
  schema: Readonly<Record<string, unknown>>,
) => Description

/** JSON types in words. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** Formats in words. */
export const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  cidr: 'a network such as 192.0.2.0/24',
  'one-line': 'one line of text that is not blank, without control characters',
  'date-time': 'a date and time such as 2026-01-31T08:15:30Z',
}

const UNDELIVERABLE =
  'must have only ASCII letters, digits and signs before the @, without quotes: most mail servers cannot deliver to others'

/**
 * Errors for people and programs, by the keyword of JSON Schema that was broken. A keyword that a schema uses and that
 * is missing here fails a contract test.
 */
export const SENTENCES: Readonly<Record<string, Describe>> = {
  required: () => say('required', 'is required'),
  dependentRequired: () => say('required', 'is required with the other values'),
  additionalProperties: () => say('unknown_property', 'is not a known property'),
  unevaluatedProperties: () => say('unknown_property', 'is not a known property'),
  propertyNames: () => say('unknown_property', 'has a name that is not allowed'),
  type: ({ type }) => {
    const types = [type].flat().map(String)
    return say('wrong_type', `must be ${list(types.map((name) => TYPES[name] ?? name))}`, { types })
  },
  enum: ({ allowedValues }) => oneOf([allowedValues].flat()),
  const: ({ allowedValue }) => oneOf([allowedValue]),
  pattern: ofPattern,
  'x-pattern': ofPattern,
  'x-address': ({ fault }, schema) =>
    fault === 'undeliverable' ? say('undeliverable_address', UNDELIVERABLE) : ofPattern(fault, schema),
  format: ofFormat,
  'x-format': ofFormat,
  minLength: limit('too_short', 'min_length', (min) => {
    return min === 1 ? 'must not be empty' : `must have at least ${count(min, 'character')}`
  }),
  maxLength: limit('too_long', 'max_length', (max) => `must have at most ${count(max, 'character')}`),
  minimum: limit('too_small', 'minimum', (min) => `must be ${min} or more`),
  exclusiveMinimum: limit('too_small', 'exclusive_minimum', (min) => `must be more than ${min}`),
  maximum: limit('too_large', 'maximum', (max) => `must be ${max} or less`),
  exclusiveMaximum: limit('too_large', 'exclusive_maximum', (max) => `must be less than ${max}`),
  multipleOf: ({ multipleOf }) => {
    return say('not_a_multiple', `must be a multiple of ${multipleOf}`, { multiple_of: Number(multipleOf) })
  },
  minItems: limit('too_few_items', 'min_items', (min) => `must have at least ${count(min, 'item')}`),
  maxItems: limit('too_many_items', 'max_items', (max) => `must have at most ${count(max, 'item')}`),
  uniqueItems: () => say('not_unique', 'must not have the same item twice'),
  minProperties: limit('too_few_properties', 'min_properties', (min) => {
    return `must have at least ${count(min, 'property', 'properties')}`
  }),
  maxProperties: limit('too_many_properties', 'max_properties', (max) => {
    return `must have at most ${count(max, 'property', 'properties')}`
  }),
  contains: () => say('no_match', 'lacks an item that it must have'),
  anyOf: noMatch,
  oneOf: noMatch,
  not: noMatch,
  if: noMatch,
  'false schema': noMatch,
}

/** Describes one error of Ajv; it must have been made with `verbose`, for the schema's own words. */
export function describe(error: FastifySchemaValidationError): Description {
  const schema = 'parentSchema' in error ? error.parentSchema : undefined
  const sentence = Object.hasOwn(SENTENCES, error.keyword) ? SENTENCES[error.keyword] : undefined
  return (sentence ?? noMatch)(error.params, { ...(typeof schema === 'object' ? schema : {}) })
}

/** Text that PostgreSQL can't store. */
export function invalidText(pointer: string): InvalidValue {
  return { pointer, ...say('invalid_text', 'must not contain NUL characters or lone surrogates') }
}

/** A value below more arrays and objects than the service reads. */
export function tooDeep(pointer: string, maxDepth: number): InvalidValue {
  const message = `must not be nested more than ${count(maxDepth, 'level')} deep`
  return { pointer, ...say('too_deep', message, { max_depth: maxDepth }) }
}

function say(code: InvalidValueCode, message: string, params: InvalidValueParams = {}): Description {
  return { code, message, params }
}

/** A sentence about Ajv's `limit`. */
function limit(
  code: InvalidValueCode,
  name: keyof InvalidValueParams,
  message: (limit: number) => string,
): Describe {
  return ({ limit }) => say(code, message(Number(limit)), { [name]: Number(limit) })
}

function oneOf(values: readonly unknown[]): Description {
  const allowed = values.map(String)
  return say('not_one_of', `must be ${allowed.length > 1 ? 'one of ' : ''}${allowed.join(', ')}`, { allowed })
}

function ofPattern(_params: unknown, schema: Readonly<Record<string, unknown>>): Description {
  return say('invalid_format', String(schema['x-message'] ?? 'has an invalid format'))
}

function ofFormat({ format }: Readonly<Record<string, unknown>>): Description {
  const name = String(format)
  return say('invalid_format', `must be ${FORMATS[name] ?? `a valid ${name}`}`, { format: name })
}

function noMatch(): Description {
  return say('no_match', 'does not have a form that is accepted')
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

function list(words: readonly string[]): string {
  return words.join(' or ')
}
