import type { ByteRange } from '#lib/object-store/object-store.ts'

/** The one range of a header: first and last byte, or how many of the last bytes. */
const RANGE = /^bytes[ \t]*=[ \t]*(?:(\d{1,15})[ \t]*-[ \t]*(\d{0,15})|-[ \t]*(\d{1,15}))[ \t]*$/i

/**
 * The part of a content that `Range` asks for; undefined where the whole is sent (RFC 9110 section 14.2): without the
 * header, for what is malformed, and for several ranges, which would be a small request for a large answer.
 *
 * @returns 'unsatisfiable' for a range that begins after the end
 */
export function readRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last, suffix] = RANGE.exec(header ?? '') ?? []
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  if (first === undefined) return undefined
  const start = Number(first)
  const end = last ? Number(last) : size - 1
  if (last && end < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) }
}
