import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyReply {
    /** Adds the headers that only mean something to a browser that shows the answer as a page. */
    asPage(): FastifyReply
  }
}

/** Headers that matter for answers to programs, too. A test compares both lists with those of helmet. */
export const HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/** Headers that only mean something for pages; they would make every other answer longer (docs/performance.md). */
export const PAGE_HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
} as const

/**
 * Security headers, with a policy for answers that are not meant to be shown by a browser at all; pages set their own.
 * Nothing may be cached, unless a route says otherwise.
 */
export default fp(
  async (app) => {
    // A list, for names that are looked up again cost half a microsecond.
    const headers = Object.entries({ ...HEADERS, 'cache-control': 'no-store' })
    app.step('security headers', (_request, reply, done) => {
      for (const [name, value] of headers) reply.header(name, value)
      done()
    })
    app.decorateReply('asPage', function () {
      return this.headers(PAGE_HEADERS)
    })
  },
  { name: 'security-headers' },
)
