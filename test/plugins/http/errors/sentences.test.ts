import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { describe, SENTENCES } from '#plugins/http/errors/sentences.ts'

/** A schema, a value that it refuses, and what people and programs are told. */
const REFUSED: readonly (readonly [
  schema: object,
  value: unknown,
  code: string,
  message: string,
  params?: object,
])[] = [
  [{ required: ['a'] }, {}, 'required', 'is required'],
  [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'required', 'is required with the other values'],
  [{ additionalProperties: false }, { a: 1 }, 'unknown_property', 'is not a known property'],
  [{ unevaluatedProperties: false }, { a: 1 }, 'unknown_property', 'is not a known property'],
  [{ propertyNames: { const: 'b' } }, { a: 1 }, 'unknown_property', 'has a name that is not allowed'],
  [{ type: 'string' }, 1, 'wrong_type', 'must be text', { types: ['string'] }],
  [{ type: 'integer' }, 1.5, 'wrong_type', 'must be a whole number', { types: ['integer'] }],
  [{ type: 'number' }, 'a', 'wrong_type', 'must be a number', { types: ['number'] }],
  [{ type: 'boolean' }, 1, 'wrong_type', 'must be true or false', { types: ['boolean'] }],
  [{ type: 'array' }, 1, 'wrong_type', 'must be a list', { types: ['array'] }],
  [{ type: 'object' }, 1, 'wrong_type', 'must be an object', { types: ['object'] }],
  [{ type: 'null' }, 1, 'wrong_type', 'must be null', { types: ['null'] }],
  [{ type: ['string', 'null'] }, 1, 'wrong_type', 'must be text or null', { types: ['string', 'null'] }],
  [{ enum: ['a', 'b'] }, 'c', 'not_one_of', 'must be one of a, b', { allowed: ['a', 'b'] }],
  [{ enum: ['a'] }, 'c', 'not_one_of', 'must be a', { allowed: ['a'] }],
  [{ const: 7 }, 8, 'not_one_of', 'must be 7', { allowed: ['7'] }],
  [{ pattern: '^a$' }, 'b', 'invalid_format', 'has an invalid format'],
  [{ pattern: '^a$', 'x-message': 'must be an a' }, 'b', 'invalid_format', 'must be an a'],
  [{ minLength: 1 }, '', 'too_short', 'must not be empty', { min_length: 1 }],
  [{ minLength: 2 }, '', 'too_short', 'must have at least 2 characters', { min_length: 2 }],
  [{ maxLength: 1 }, 'ab', 'too_long', 'must have at most 1 character', { max_length: 1 }],
  [{ minimum: 2 }, 1, 'too_small', 'must be 2 or more', { minimum: 2 }],
  [{ exclusiveMinimum: 2 }, 2, 'too_small', 'must be more than 2', { exclusive_minimum: 2 }],
  [{ maximum: 2 }, 3, 'too_large', 'must be 2 or less', { maximum: 2 }],
  [{ exclusiveMaximum: 2 }, 2, 'too_large', 'must be less than 2', { exclusive_maximum: 2 }],
  [{ multipleOf: 5 }, 7, 'not_a_multiple', 'must be a multiple of 5', { multiple_of: 5 }],
  [{ minItems: 1 }, [], 'too_few_items', 'must have at least 1 item', { min_items: 1 }],
  [{ maxItems: 1 }, [1, 2], 'too_many_items', 'must have at most 1 item', { max_items: 1 }],
  [{ maxItems: 0 }, [1], 'too_many_items', 'must have at most 0 items', { max_items: 0 }],
  [{ uniqueItems: true }, [1, 1], 'not_unique', 'must not have the same item twice'],
  [{ minProperties: 1 }, {}, 'too_few_properties', 'must have at least 1 property', { min_properties: 1 }],
  [{ minProperties: 2 }, {}, 'too_few_properties', 'must have at least 2 properties', { min_properties: 2 }],
  [
    { maxProperties: 0 },
    { a: 1 },
    'too_many_properties',
    'must have at most 0 properties',
    { max_properties: 0 },
  ],
  [{ contains: { const: 1 } }, [], 'no_match', 'lacks an item that it must have'],
  [{ not: {} }, 1, 'no_match', 'does not have a form that is accepted'],
]

const ajv = new Ajv2020({ verbose: true, strict: false, validateFormats: false })

/** Sentences without a keyword of JSON Schema of their own. */
const OTHERS = ['x-pattern', 'x-address', 'format', 'x-format', 'anyOf', 'oneOf', 'if', 'false schema']

t.test('each rule that a value breaks has its sentence, and a code with its limits', async (t) => {
  const tried = new Set(OTHERS)
  for (const [schema, value, code, message, params = {}] of REFUSED) {
    const validate = ajv.compile(schema)
    t.notOk(validate(value))
    const error = validate.errors?.at(-1)
    if (error === undefined) throw new Error('it was not refused')
    tried.add(error.keyword)
    t.strictSame(describe(error), { code, message, params }, JSON.stringify(schema))
  }
  t.strictSame([...tried].sort(), Object.keys(SENTENCES).sort())
})

t.test('formats, addresses, and what has no sentence of its own', async (t) => {
  const told = (keyword: string, params: Record<string, unknown>, parentSchema?: object) =>
    describe({
      keyword,
      params,
      instancePath: '',
      schemaPath: '',
      message: 'x',
      ...(parentSchema && { parentSchema }),
    })
  const format = (name: string, message: string) =>
    t.strictSame(told('format', { format: name }), {
      code: 'invalid_format',
      message,
      params: { format: name },
    })
  format('uuid', 'must be a UUID')
  format('date-time', 'must be a date and time such as 2026-01-31T08:15:30Z')
  format('other', 'must be a valid other')
  t.strictSame(told('x-format', { format: 'uuid' }), told('format', { format: 'uuid' }))
  const schema = { 'x-message': 'must be an address' }
  const invalid = { code: 'invalid_format', message: 'must be an address', params: {} }
  t.strictSame(told('x-pattern', {}, schema), invalid)
  t.strictSame(told('x-address', { fault: 'invalid' }, schema), invalid)
  t.match(told('x-address', { fault: 'undeliverable' }, schema), {
    code: 'undeliverable_address',
    message: /^must have only ASCII letters/,
  })
  const noMatch = { code: 'no_match', message: 'does not have a form that is accepted', params: {} }
  for (const keyword of ['anyOf', 'oneOf', 'if', 'false schema', 'toString', 'anything'])
    t.strictSame(told(keyword, {}), noMatch, keyword)
})
