import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import { InvalidJson, InvalidText, UnsupportedMediaType } from './errors/http-errors.ts'

/** An escape is the only way for NUL or a surrogate to get into JSON that is valid UTF-8. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i

/**
 * Reads JSON bodies and nothing else. What PostgreSQL could not hold is refused here: NUL characters, lone
 * surrogates and bytes that are not UTF-8.
 */
export default fp(
  async (app) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
      if (body.length === 0 && request.routeOptions.schema?.body === undefined) {
        // Many clients always send the header; without a body there is nothing to object to.
        done(null, undefined)
        return
      }
      if (isPacked(request.headers['content-encoding'])) {
        done(new UnsupportedMediaType({ detail: 'The body must be sent without a content coding.' }))
        return
      }
      if (!isUtf8(body)) {
        done(new InvalidJson())
        return
      }
      const text = body.toString()
      parse(request, text, (error, value: unknown) => {
        if (error) done(error)
        else if (SUSPICIOUS.test(text) && !isStorable(value)) done(new InvalidText())
        else done(null, value)
      })
    })
  },
  { name: 'json', dependencies: ['errors'] },
)

/** Nothing is unpacked, so that a small body can't become a large one (RFC 9110 section 8.4). */
function isPacked(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity'
}

/** Whether all text in a parsed JSON value, names included, can be stored. Iterative: nesting is the caller's. */
function isStorable(root: unknown): boolean {
  const pending = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return false
    if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) pending.push(name, member)
    }
  }
  return true
}
