import { Ajv, type FuncKeywordDefinition, type Options } from 'ajv'
import formats from 'ajv-formats'

/** Our own annotations; Ajv's strict mode refuses a keyword that it does not know. */
const ANNOTATIONS = ['example', 'x-message']

/** A UUID as PostgreSQL prints it, in either case. The format of ajv-formats takes `urn:uuid:` as well. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * `x-normalize` replaces the text by its one form before anything else looks at it, so that lengths and
 * patterns hold for what is stored: `NFC` is Unicode's (Standard Annex 15), `lowercase` is for ids.
 */
const normalize: FuncKeywordDefinition = {
  keyword: 'x-normalize',
  type: 'string',
  schemaType: 'string',
  metaSchema: { enum: ['NFC', 'lowercase'] },
  // Ajv's first keyword of strings.
  before: 'maxLength',
  modifying: true,
  errors: false,
  validate(form: string, text: string, _parent: unknown, position) {
    const normal = form === 'NFC' ? text.normalize('NFC') : text.toLowerCase()
    if (position) position.parentData[position.parentDataProperty] = normal
    return true
  },
}

/**
 * `x-pattern` is a regular expression that the service checks with JavaScript's `u` flag. It is for what a published
 * `pattern` must not use, because other languages' engines refuse it: Unicode classes and look-around.
 */
export const pattern: FuncKeywordDefinition = {
  keyword: 'x-pattern',
  type: 'string',
  schemaType: 'string',
  errors: false,
  compile(source: string) {
    const expression = new RegExp(source, 'u')
    return (text: string) => expression.test(text)
  },
}

/**
 * Makes a validator. Nothing is dropped and every mistake is reported; text is turned into numbers and
 * booleans only where `coerce` says that all there is is text.
 */
export function createAjv({ coerce }: { coerce: boolean }): Ajv {
  const options: Options = {
    allErrors: true,
    coerceTypes: coerce,
    removeAdditional: false,
    useDefaults: true,
    strict: true,
    // `1e400` is coerced to Infinity, which no bound would be checked for if numbers had to be finite.
    strictNumbers: !coerce,
    strictTypes: false,
    verbose: true,
    addUsedSchema: false,
    keywords: [...ANNOTATIONS, normalize, pattern],
  }
  const ajv = new Ajv(options)
  formats.default(ajv, ['date-time'])
  ajv.addFormat('uuid', UUID)
  return ajv
}
