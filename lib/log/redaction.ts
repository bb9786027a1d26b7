import { serializeError } from './errors.ts'

const MASK = '[redacted]'

/** Parts of the names of secrets, in any spelling. */
const NAME =
  'pass(?:word|wd|phrase)|pwd|secret|token|authorization|cookie|credential|hash|jwt|\\botp\\b|session|' +
  'api[-_]?key|(?:private|signing)[-_]?key|dsn|connection_?string'

const SECRET_NAME = new RegExp(NAME, 'i')

/** Such as OAuth's `token_type`, which is `Bearer`. */
const HARMLESS_NAME = /_type$/

/*
 * All expressions run over whole lines, of which clients have a say, so they must be linear: a match that has
 * begun to read without bound cannot fail any more.
 */

/** Secrets by their form, whatever their names: JWTs, API keys, PHC hashes, HTTP credentials, logins in URLs. */
const SECRET_TEXT =
  /eyJ[\w-]+(?:\.[\w-]*){0,2}|gwk_\w+|\$argon2(?:id|i|d)\$[^\s"\\]*|\b(?:Bearer|Basic) +[\w.~+/=-]+|(?<=:\/\/)[^\s"\\/]*(?=@)/gi

/**
 * `:` or `=` as a URL's escape, with quotation marks or without. Mail programs encode links a second and a third time,
 * token and all.
 */
const ENCODED = '(?:%(?:25){0,3}22)?%(?:25){0,3}3[ad](?:%(?:25){0,3}22)?'

/**
 * A secret's name and its value: as a property of the line's JSON (`"name":"value"`), of JSON within its text
 * (`\"name\": \"value\"`), or as an assignment in its text (`name=value`, `name: 'value'`).
 */
const SECRET_PAIR = new RegExp(
  String.raw`((?:${NAME})[\w-]{0,32}(?<!_type)(?:":"|(?:\\"|')?\s{0,4}(?:[:=]|${ENCODED})\s{0,4}(?:\\"|')?))` +
    String.raw`(?:(?<=":")[^"\\]*(?:\\.[^"\\]*)*` +
    String.raw`|(?<=\\")[^"\\]*(?:(?:\\\\(?:\\.|[^"\\])|\\[^"\\])[^"\\]*)*` +
    String.raw`|(?<=')[^'"\\]*|[^\s"'\\&,;]+)`,
  'gi',
)

/** How deep fields are looked into; deeper ones are left out. */
const MAX_DEPTH = 8

/**
 * Marks fields of which none can be a secret, for the line of each request: to search a line costs a tenth of a request
 * (docs/decisions/047). Almost all of its fields are ours; the few others are searched separately.
 */
export const HARMLESS: unique symbol = Symbol('harmless')

/** Fields of a log record. */
interface Fields extends Record<string, unknown> {
  readonly [HARMLESS]?: boolean
}

/** Functions that keep secrets out of a logger's lines. */
export interface Redaction {
  /** Returns the fields as they may be written. */
  fields(fields: Fields): Record<string, unknown>
  /** Returns the finished line of these fields as it may be written. */
  line(line: string): string
}

/** Creates the redaction of one logger. A line follows its fields at once; the mark of fields is for one line only. */
export function createRedaction(): Redaction {
  let isHarmless = false
  return {
    fields(fields) {
      isHarmless = fields[HARMLESS] === true
      return isHarmless ? fields : redactFields(fields)
    },
    line(line) {
      if (!isHarmless) return redactText(line)
      isHarmless = false
      return line
    },
  }
}

/** Returns a copy of a log record's fields in which secrets are masked by their names. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return isPlain(fields) ? redactObject(fields, 0) : { object: nameOf(fields) }
}

/** Returns a copy of a value of JSON in which secrets are masked by their names. */
export function redactValues(value: unknown): unknown {
  return redactValue(value, 0)
}

/** Masks what looks like a secret in a text. */
export function redactText(text: string): string {
  return text.replace(SECRET_TEXT, MASK).replace(SECRET_PAIR, `$1${MASK}`)
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    copy[name] = isSecret(name, value) ? MASK : redactValue(value, depth + 1)
  }
  return copy
}

/** Counts and flags are not secrets, whatever their names. */
function isSecret(name: string, value: unknown): boolean {
  const isText = typeof value === 'string' || (typeof value === 'object' && value !== null)
  return isText && SECRET_NAME.test(name) && !HARMLESS_NAME.test(name)
}

function redactValue(value: unknown, depth: number): unknown {
  // A function could be a `toJSON`, which would bring in anything.
  if (typeof value === 'function') return undefined
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (value instanceof Error) return serializeError(value)
  if (depth > MAX_DEPTH) return '[too deep]'
  if (Array.isArray(value)) return redactArray(value, depth)
  return isPlain(value) ? redactObject(value, depth) : nameOf(value)
}

/** Node's raw headers are a list in which names and values alternate. */
function redactArray(items: readonly unknown[], depth: number): unknown[] {
  return items.map((item, index) => {
    const before = items[index - 1]
    return typeof before === 'string' && isSecret(before, item) ? MASK : redactValue(item, depth + 1)
  })
}

/** Requests, sockets and the like would bring in headers and buffers; of them only the name is logged. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function nameOf(value: object): string {
  return `[${value.constructor.name}]`
}
