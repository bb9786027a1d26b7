import { isUtf8 } from 'node:buffer'
import fp from 'fastify-plugin'
import {
  InvalidJson,
  InvalidText,
  UnsupportedMediaType,
  ValidationFailed,
} from '#plugins/http/errors/http-errors.ts'
import type { InvalidValue } from '#schemas/problem.ts'
import { isPacked } from './content-coding.ts'
import { findDepth, findFlaw, MAX_DEPTH } from './flaws.ts'

/** An escape is the only way for NUL or a surrogate to get into JSON that is valid UTF-8. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i

/**
 * Reads JSON bodies and nothing else. What PostgreSQL could not hold is refused here: NUL characters, lone
 * surrogates and bytes that are not UTF-8; and what is nested deeper than anything we take.
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
        if (error) return done(error)
        const flaw = flawOf(text, value)
        if (flaw) done(refusalOf(flaw))
        else done(null, value)
      })
    })
  },
  { name: 'json' },
)

/** Most bodies are too small to be nested too deep, and have no escapes. */
function flawOf(text: string, value: unknown): InvalidValue | undefined {
  if (SUSPICIOUS.test(text)) return findFlaw('body', value)
  return text.length > 2 * MAX_DEPTH ? findDepth('body', value) : undefined
}

function refusalOf(flaw: InvalidValue): Error {
  const refusal = flaw.code === 'invalid_text' ? InvalidText : ValidationFailed
  return new refusal({ errors: [flaw] })
}
