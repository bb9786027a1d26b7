import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet from 'helmet'

declare module 'fastify' {
  interface FastifyReply {
    /** Adds the headers that only mean something to a browser that shows the answer as a page. */
    asPage(): FastifyReply
  }
}

/** Helmet's headers that matter for answers to programs, too; the others go with pages (docs/decisions/047). */
const ALWAYS = new Set([
  'content-security-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
])

/**
 * Helmet's headers, with a policy for answers that are not meant to be shown by a browser at all; pages set their
 * own. Nothing may be cached, unless a route says otherwise.
 */
export default fp(
  async (app) => {
    const all = headersOf(HELMET)
    const pick = (always: boolean) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => ALWAYS.has(name) === always))
    // A list, for names that are looked up again cost half a microsecond.
    const headers = Object.entries({ ...pick(true), 'cache-control': 'no-store' })
    app.step('security headers', (_request, reply, done) => {
      for (const [name, value] of headers) reply.header(name, value)
      done()
    })
    const forPages = pick(false)
    app.decorateReply('asPage', function () {
      return this.headers(forPages)
    })
  },
  { name: 'security-headers' },
)

const HELMET = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
})

/** What a middleware sets is the same for every answer, so it is asked once: asking costs as much as the rest. */
function headersOf(middleware: typeof HELMET): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  middleware(request, response, (error) => {
    /* c8 ignore next -- the settings above are right */
    if (error !== undefined) throw error
  })
  return Object.fromEntries(
    Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
  )
}
