import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc from 'fast-check'
import { canonicalEmail } from '#config/email-address.ts'
import { address, extendedPattern, format } from '#plugins/api/validation/keywords.ts'
import { type Document, member, type Schema } from '#test/contract/document.ts'

/** Makes values that schemas of an OpenAPI document describe, and tells whether values are such. */
export class SchemaValues {
  readonly #document: Document
  readonly #ajv = new Ajv2020({ strict: false, verbose: true })
  readonly #validators = new WeakMap<Schema, ValidateFunction>()
  /** Those of texts take long to be made, and all can be used again. */
  readonly #arbitraries = new WeakMap<Schema, fc.Arbitrary<unknown>>()

  constructor(document: Document) {
    this.#document = document
    formats.default(this.#ajv)
    this.#ajv.addKeyword(extendedPattern)
    this.#ajv.addKeyword(address)
    this.#ajv.addKeyword(format)
    this.#ajv.addSchema({ ...document, $id: 'document' })
  }

  /** Whether a value is what a schema describes; text counts in its normal form, as the service takes it. */
  isValid(schema: Schema, value: unknown): boolean {
    const validate = this.#validators.get(schema) ?? this.#compile(schema)
    this.#validators.set(schema, validate)
    return validate(normalized(value))
  }

  #compile(schema: Schema): ValidateFunction {
    return this.#ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')))
  }

  /**
   * Generates values of a schema.
   *
   * @throws TypeError for a schema that it cannot read yet
   */
  arbitrary(schema: Schema): fc.Arbitrary<unknown> {
    return this.#shaped(schema).filter((value) => this.isValid(schema, value))
  }

  #shaped(schema: Schema): fc.Arbitrary<unknown> {
    const made = this.#arbitraries.get(schema) ?? this.#make(schema)
    this.#arbitraries.set(schema, made)
    return made
  }

  #make(schema: Schema): fc.Arbitrary<unknown> {
    if (typeof schema['$ref'] === 'string') return this.#shaped(this.#resolve(schema['$ref']))
    if ('const' in schema) return fc.constant(schema['const'])
    if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum'])
    const alternatives = schema['anyOf'] ?? schema['oneOf']
    if (Array.isArray(alternatives)) {
      return fc.oneof(...alternatives.map((alternative) => this.#shaped(alternative)))
    }
    const { type } = schema
    if (Array.isArray(type)) {
      return fc.oneof(...type.map((single) => this.#shaped({ ...schema, type: single })))
    }
    switch (type) {
      case 'string':
        return text(schema)
      case 'integer':
        return fc.integer({ min: number(schema['minimum'], -1000), max: number(schema['maximum'], 1000) })
      case 'number':
        return fc.double({
          min: number(schema['minimum'], -1000),
          max: number(schema['maximum'], 1000),
          noNaN: true,
        })
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      case 'array':
        return fc.array(this.#shaped(member(schema, 'items') ?? {}), {
          minLength: number(schema['minItems'], 0),
          maxLength: number(schema['maxItems'], 10),
        })
      case 'object':
        return this.#object(schema)
      default:
        throw new TypeError(`a schema that test/fuzz/schema-values.ts cannot read: ${JSON.stringify(schema)}`)
    }
  }

  #object(schema: Schema): fc.Arbitrary<unknown> {
    const properties = Object.entries(member(schema, 'properties') ?? {}).map(([name]) => {
      return [name, this.#shaped(member(schema, 'properties', name) ?? {})] as const
    })
    const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
    return fc.record(Object.fromEntries(properties), { requiredKeys: required })
  }

  #resolve(reference: string): Schema {
    const found = member(this.#document, ...reference.replace(/^#\//, '').split('/'))
    if (!found) throw new TypeError(`the document has no ${reference}`)
    return found
  }
}

function text(schema: Schema): fc.Arbitrary<string> {
  if (schema['format'] === 'uuid') return fc.uuid()
  if (schema['x-format'] === 'cidr') return cidr
  if (schema['format'] === 'date-time')
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if ('x-address' in schema) return textLike(ADDRESS)
  const expression = schema['x-pattern'] ?? schema['pattern']
  if (typeof expression === 'string') return textLike(expression)
  const minLength = number(schema['minLength'], 0)
  const maxLength = Math.max(minLength, Math.min(number(schema['maxLength'], 200), 200))
  if (schema['x-format'] !== 'one-line') return fc.string({ unit: character, minLength, maxLength })
  return fc
    .string({ unit: characterOfALine, minLength, maxLength })
    .filter((line) => /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(line))
}

/** Networks of both kinds, with bits of hosts in most. */
const cidr = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 0, max: 128 }),
    )
    .map(([parts, bits]) => `${parts.map((part) => part.toString(16)).join(':')}/${bits}`),
)

/** Any character that text may hold, most of them ASCII; fast-check's own units take seconds to be made ready. */
export const character = fc.oneof(
  { withCrossShrink: true },
  { weight: 3, arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 0x10_ffff })
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code)),
  },
)

const characterOfALine = character.filter(
  (text) => !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text),
)

/** Addresses that every server can deliver to, with international domains among them. */
const ADDRESS = '^[a-z0-9!#$%&*+/=?_~-]{1,30}@[a-zü中]{1,20}\\.[a-z]{2,8}$'

/** Some characters of Unicode's classes; fast-check takes seconds to make all of them ready. */
const CLASSES = { '\\p{L}': 'A-Za-z\u00e4\u0436\u4e2d', '\\p{M}': '\u0301', '\\p{N}': '0-9\u0663' }

/** Texts that have a pattern. What it says by looking ahead fast-check can't do, so those that lack it are left out. */
function textLike(pattern: string): fc.Arbitrary<string> {
  let readable = pattern.replace(/\(\?[=!][^)]*\)/g, '')
  for (const [name, characters] of Object.entries(CLASSES)) readable = readable.replaceAll(name, characters)
  const whole = new RegExp(pattern, 'u')
  return fc.stringMatching(new RegExp(readable, 'u')).filter((text) => whole.test(text))
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function normalized(value: unknown): unknown {
  if (typeof value === 'string') return canonicalEmail(value)
  if (Array.isArray(value)) return value.map(normalized)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalized(item)]))
}
