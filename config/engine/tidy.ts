import type { TomlValue } from 'smol-toml'
import type { FormatName } from './formats.ts'
import type { KeySchema } from './keys.ts'

/** Formats whose values are URLs of servers and pages: a slash at the end says nothing, nor does the case of the scheme. */
const URL_FORMATS: ReadonlySet<FormatName | undefined> = new Set<FormatName>([
  'public-url',
  'postgres-url',
  'redis-url',
  'nats-url',
  'smtp-url',
  'clamd-url',
  'sentry-dsn',
  'proxy-url',
  'contact',
])

/**
 * Writes a value as it was meant: without white space around a text or an item of a list, without slashes at the end of
 * a URL, whose scheme is in small letters; an origin of the web as browsers send it.
 */
export function tidy(value: TomlValue, schema: KeySchema): TomlValue {
  if (Array.isArray(value)) return value.map((item) => tidyText(item, schema.items?.format))
  return tidyText(value, schema.format)
}

function tidyText(value: TomlValue, format: FormatName | undefined): TomlValue {
  if (typeof value !== 'string') return value
  const text = trim(value)
  if (format === 'origin') return originOf(text)
  if (!URL_FORMATS.has(format)) return text
  return text.replace(/(?<=[^/])\/+$/, '').replace(/^[a-z][a-z+.-]*:\/\//i, (scheme) => scheme.toLowerCase())
}

/** The origin of a URL that has nothing else; any other text as it is. */
function originOf(text: string): string {
  const url = /^https?:\/\/[^/?#@\\*]+\/*$/i.test(text) ? URL.parse(text) : null
  return url === null ? text : url.origin
}

/** A text without white space around it, and without the characters of no width that come along from web pages. */
export function trim(text: string): string {
  return text.replace(/^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$/g, '')
}
