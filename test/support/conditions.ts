import fc from 'fast-check'

const position = fc.oneof(fc.integer({ min: 0, max: 320 }), fc.constantFrom(0, 1, 299, 300, 301, 10 ** 12))

/** Ranges that are well formed; what to make of others, the standard leaves open, and nginx refuses them. */
const range = fc.oneof(
  position.map((start) => `bytes=${start}-`),
  fc.tuple(position, position).map(([a, b]) => `bytes=${Math.min(a, b)}-${Math.max(a, b)}`),
  position.map((length) => `bytes=-${length}`),
)

/** In place of ETAG stands the tag of the content, and of a number the time so many seconds after it was written. */
const tag = fc.constantFrom('ETAG', '"another"', 'ETAG, "another"', '*')
const date = fc.constantFrom(-3600, -1, 0, 1, 3600)

const one = (name: string, value: fc.Arbitrary<string | number>) => value.map((given) => ({ [name]: given }))
const none = fc.constant({})

/** The headers `Range`, `If-Range` and other conditions of a request, before they are filled in. */
export type Given = Readonly<Record<string, string | number>>

/**
 * Ranges and conditions of requests for a content of 300 bytes. A header about tags and one about times at once are left
 * out: the one about tags counts alone (RFC 9110 section 13.2.2), and nginx wants both.
 */
export const conditionsOfReads: fc.Arbitrary<Given> = fc
  .tuple(
    fc.oneof(none, one('range', range)),
    fc.oneof(none, one('if-range', fc.oneof(fc.constantFrom('ETAG', '"another"'), date))),
    fc.oneof(none, one('if-match', tag), one('if-unmodified-since', date)),
    fc.oneof(none, one('if-none-match', tag), one('if-modified-since', date)),
  )
  .map((parts): Given => Object.assign({}, ...parts))

/** The headers of a request about a content. */
export function filledIn(
  given: Given,
  { etag, written }: { etag: string | string[] | number | undefined; written: Date },
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (typeof value === 'string') return [name, value.replace('ETAG', String(etag))]
      return [name, new Date(written.getTime() + value * 1000).toUTCString()]
    }),
  )
}
