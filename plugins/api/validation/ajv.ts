import { Ajv, type AnySchema, type Options } from 'ajv'
import formats from 'ajv-formats'
import { address, extendedPattern, format, normalize, pattern } from './keywords.ts'

/**
 * Our own annotations; Ajv's strict mode refuses a keyword that it does not know. `x-sensitivity: personal` says of a
 * text that it is stored and shown to those whom it concerns; every other text is a secret to the tests, which look for
 * it everywhere (test/contract/canary.test.ts).
 */
const ANNOTATIONS = ['example', 'x-message', 'x-sensitivity']

/** A UUID as PostgreSQL prints it, in either case. The format of ajv-formats takes `urn:uuid:` as well. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Longest text that a format's check examines, because it splits its input. */
const MAX_FORMATTED = 64

/** Has the schema of schemas, which each instance would compile again otherwise: 25 ms. */
const draft07 = new Ajv()

const isDateTime = formats.default(draft07, ['date-time']).compile({ type: 'string', format: 'date-time' })

/** Times that RFC 3339 allows and PostgreSQL does not take: of the year 0, or 16 hours and more away from UTC. */
const NOT_STORABLE = /^0000|[+-](?:1[6-9]|2\d):?\d\d$/

/** Whether a text is a time that can be worked with; leap seconds, for one, JavaScript does not read. */
function isTime(text: string): boolean {
  if (text.length > MAX_FORMATTED || !isDateTime(text)) return false
  return !NOT_STORABLE.test(text) && !Number.isNaN(Date.parse(text))
}

export interface AjvOptions {
  /** Turns text into numbers and booleans: for what is nothing but text. */
  coerce: boolean
  /** Reports every error, not only the first. */
  allErrors: boolean
}

/** Makes a validator. Nothing is dropped from what it looks at. */
export function createAjv({ coerce, allErrors }: AjvOptions): Ajv {
  const options: Options = {
    allErrors,
    coerceTypes: coerce,
    removeAdditional: false,
    useDefaults: true,
    strict: true,
    // `1e400` is coerced to Infinity, which no bound would be checked for if numbers had to be finite.
    strictNumbers: !coerce,
    strictTypes: false,
    verbose: true,
    addUsedSchema: false,
    // assertSchema() does it.
    meta: false,
    validateSchema: false,
    keywords: ANNOTATIONS,
    // Compiling takes two thirds of the time, and validating as long.
    code: { optimize: false },
  }
  const ajv = new Ajv(options)
  ajv.removeKeyword('pattern')
  ajv.addKeyword(pattern)
  ajv.addKeyword(extendedPattern)
  ajv.addKeyword(address)
  ajv.addKeyword(format)
  ajv.addKeyword(normalize)
  ajv.addFormat('date-time', isTime)
  ajv.addFormat('uuid', UUID)
  return ajv
}

/** @throws Error for what is not a JSON Schema */
export function assertSchema(schema: AnySchema): void {
  void draft07.validateSchema(schema, true)
}
