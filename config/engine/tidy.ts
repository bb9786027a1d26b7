import type { TomlValue } from 'smol-toml'
import type { FormatName } from './formats.ts'
import type { KeySchema } from './keys.ts'

/** Formats whose values are URLs of servers and pages, for which a slash at the end says nothing. */
const URL_FORMATS: ReadonlySet<FormatName | undefined> = new Set<FormatName>([
  'public-url',
  'postgres-url',
  'redis-url',
  'nats-url',
  'smtp-url',
  'clamd-url',
  'sentry-dsn',
  'proxy-url',
])

/**
 * Leaves out what follows a pasted value and is never meant: white space around a text, or an item of a list, and slashes
 * at the end of a URL.
 */
export function tidy(value: TomlValue, schema: KeySchema): TomlValue {
  if (Array.isArray(value)) return value.map((item) => tidyText(item, schema.items?.format))
  return tidyText(value, schema.format)
}

function tidyText(value: TomlValue, format: FormatName | undefined): TomlValue {
  if (typeof value !== 'string') return value
  const text = trim(value)
  return URL_FORMATS.has(format) ? text.replace(/(?<=[^/])\/+$/, '') : text
}

/** A text without white space around it, and without the characters of no width that come along from web pages. */
export function trim(text: string): string {
  return text.replace(/^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$/g, '')
}
