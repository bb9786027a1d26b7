import type { IncomingHttpHeaders } from 'node:http'

/** The version that conditions of a request are compared with. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  readonly etag: string
  /** When the content was written. */
  readonly modified: Date
}

/** Entity tags of one header that are looked at, the first. */
const MAX_TAGS = 64

/**
 * Evaluates the conditions of a GET or HEAD (RFC 9110 section 13.2.2): `send` the content, tell that the client has it
 * (`unmodified`), or that it is not what the client thinks (`failed`).
 */
export function evaluate(
  headers: IncomingHttpHeaders,
  { etag, modified }: Validators,
): 'send' | 'unmodified' | 'failed' {
  const seconds = Math.floor(modified.getTime() / 1000)
  const match = headers['if-match']
  const unmodifiedSince = timeOf(headers['if-unmodified-since'])
  if (match !== undefined) {
    if (!tagsOf(match).some((tag) => tag === '*' || tag === etag)) return 'failed'
  } else if (unmodifiedSince !== undefined && seconds > unmodifiedSince) return 'failed'

  const noneMatch = headers['if-none-match']
  // The comparison is weak: a proxy that compresses makes tags weak, or adds the coding's name (decision 034).
  if (noneMatch !== undefined) {
    return tagsOf(noneMatch).some((tag) => tag === '*' || ours(tag) === etag) ? 'unmodified' : 'send'
  }
  const modifiedSince = timeOf(headers['if-modified-since'])
  return modifiedSince !== undefined && seconds <= modifiedSince ? 'unmodified' : 'send'
}

/** Whether `Range` counts: there is no `If-Range`, or it names this very content (RFC 9110 section 13.1.5). */
export function isRangeWanted(ifRange: string | undefined, { etag, modified }: Validators): boolean {
  if (ifRange === undefined) return true
  const text = ifRange.trim()
  if (text.endsWith('"')) return text === etag
  return timeOf(text) === Math.floor(modified.getTime() / 1000)
}

/** The tag that we sent, of what a proxy made of it: `W/"..."`, `"...-gzip"`. */
function ours(tag: string): string {
  return tag.replace(/^W\//, '').replace(/--?(?:gzip|br|deflate|zstd)"$/, '"')
}

function tagsOf(header: string): string[] {
  return header.split(',', MAX_TAGS).map((tag) => tag.trim())
}

/** The form of HTTP's dates that is sent today; others are ignored, as RFC 9110 section 13.1.3 has it for what is invalid. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Seconds since 1970. */
function timeOf(header: string | undefined): number | undefined {
  if (header === undefined || !DATE.test(header.trim())) return undefined
  const time = Date.parse(header)
  return Number.isNaN(time) ? undefined : time / 1000
}
