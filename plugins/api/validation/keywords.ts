import type { FuncKeywordDefinition } from 'ajv'
import type { DataValidateFunction } from 'ajv/dist/types/index.js'
import { addressFault, canonicalEmail, isKnownForm } from '#config/email-address.ts'
import { isCidr } from '#lib/network/networks.ts'

/**
 * Most UTF-16 units of a text for each character that its schema allows. Normalisation makes one character of
 * four at most, and needs a time that grows with the square of what it is given.
 */
const UNITS_PER_CHARACTER = 4

/** Whether a text is so long that `maxLength` refuses it in every form, so that nothing else need look at it. */
function isFarTooLong(text: string, maxLength: number): boolean {
  return text.length > maxLength * UNITS_PER_CHARACTER
}

/** @throws TypeError, when the schema is compiled, for a text without bounds */
function maxLengthOf(schema: Readonly<Record<string, unknown>>, keyword: string): number {
  const { maxLength } = schema
  if (typeof maxLength !== 'number') throw new TypeError(`a text with ${keyword} needs a maxLength`)
  return maxLength
}

/** Soft hyphens and spaces without width, which take no room in a line and say nothing. Joiners are parts of letters. */
const WIDTHLESS = /[\u00ad\u200b\u2060\ufeff]/g

const FORMS: Readonly<Record<string, (text: string) => string>> = {
  NFC: (text) => text.normalize('NFC'),
  line: (text) => text.normalize('NFC').replace(WIDTHLESS, '').trim(),
  email: canonicalEmail,
  lowercase: (text) => text.toLowerCase(),
}

/**
 * `x-normalize` replaces a text by its one form before anything else looks at it, so that lengths and patterns
 * hold for what is stored: `NFC` is Unicode's (Standard Annex 15), `line` is the same for names, without blanks at the
 * ends and what nobody sees, `email` the canonical form of addresses, `lowercase` is for ids. A text that is far too
 * long stays as it is, for `maxLength` to refuse.
 */
export const normalize: FuncKeywordDefinition = {
  keyword: 'x-normalize',
  type: 'string',
  schemaType: 'string',
  metaSchema: { enum: Object.keys(FORMS) },
  // Ajv's first keyword of strings.
  before: 'maxLength',
  modifying: true,
  errors: false,
  compile(form: string, schema) {
    // Small letters take linear time.
    const maxLength = form === 'lowercase' ? Number.POSITIVE_INFINITY : maxLengthOf(schema, 'x-normalize')
    const toForm = FORMS[form]
    return (text: string, position) => {
      if (isFarTooLong(text, maxLength) || position === undefined || toForm === undefined) return true
      position.parentData[position.parentDataProperty] = toForm(text)
      return true
    }
  },
}

/**
 * An expression that does not look at texts which are too long: it is asked even where `maxLength` fails. It has
 * JavaScript's `u` flag.
 */
function boundedPattern(keyword: string): FuncKeywordDefinition {
  return {
    keyword,
    type: 'string',
    schemaType: 'string',
    errors: false,
    compile(source: string, schema) {
      const expression = new RegExp(source, 'u')
      const maxLength = maxLengthOf(schema, keyword)
      return (text: string) => isFarTooLong(text, maxLength) || expression.test(text)
    },
  }
}

/** JSON Schema's `pattern`, for what the engines of all languages understand. */
export const pattern = boundedPattern('pattern')

/** For what a published `pattern` must not use, because other engines refuse it: Unicode classes and look-around. */
export const extendedPattern = boundedPattern('x-pattern')

/**
 * `x-address` says which addresses are accepted: `deliverable` those that every mail server can deliver to, `known`
 * also those that accounts had before that rule.
 */
export const address: FuncKeywordDefinition = {
  keyword: 'x-address',
  type: 'string',
  schemaType: 'string',
  metaSchema: { enum: ['deliverable', 'known'] },
  errors: true,
  compile(which: string, schema) {
    const maxLength = maxLengthOf(schema, 'x-address')
    const check: DataValidateFunction = (text: string) => {
      if (isFarTooLong(text, maxLength)) return true
      const fault = which === 'known' && isKnownForm(text) ? undefined : addressFault(text)
      // Ajv adds the schema, which has the words, to the errors of its own keywords only.
      check.errors =
        fault === undefined ? [] : [{ keyword: 'x-address', params: { fault }, parentSchema: schema }]
      return fault === undefined
    }
    return check
  },
}

/** Controls, ends of lines, and what turns the direction of all that follows. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

/**
 * Something that can be seen: a name or a reason of blanks alone says nothing. Some letters are blanks as well, such as
 * Hangul's filler, which Unicode has programs ignore, and the cell of Braille without a dot.
 */
const VISIBLE = /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  cidr: isCidr,
  // That an empty text is too short is said by another keyword.
  'one-line': (text) => text === '' || (VISIBLE.test(text) && !NOT_IN_A_LINE.test(text)),
}

/** `x-format` is for forms that JSON Schema has no name for, so that no generator takes them for its own. */
export const format: FuncKeywordDefinition = {
  keyword: 'x-format',
  type: 'string',
  schemaType: 'string',
  metaSchema: { enum: Object.keys(CHECKS) },
  errors: true,
  compile(name: string, schema) {
    const isOf = CHECKS[name]
    const maxLength = maxLengthOf(schema, 'x-format')
    const check: DataValidateFunction = (text: string) => {
      const isRight = isOf === undefined || isFarTooLong(text, maxLength) || isOf(text)
      check.errors = isRight ? [] : [{ keyword: 'x-format', params: { format: name } }]
      return isRight
    }
    return check
  },
}
