import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { findFlaw } from '#plugins/http/body/flaws.ts'
import { BadRequest, InvalidText } from '#plugins/http/errors/http-errors.ts'

/** Longest `Host`: a name has 253 characters at most (RFC 1035 section 2.3.4), a port five. */
const MAX_HOST = 300

/** The name or address and port that `Host` may hold (RFC 3986 section 3.2), or nothing; so never two joined by a comma. */
const HOST = /^(?:[\w.~%!$&'()*+;=-]*|\[[\da-f:.]+\])(?::\d{0,5})?$/i

const BROKEN_QUERY =
  'The query is not UTF-8 in percent-encoding: after each `%` come two hexadecimal digits, and a `%` itself is `%25`.'

/** Refuses what gets past Node's parser and the router, and no route could mean anything by. */
export default fp(
  async (app) => {
    // Node would answer an unknown `Expect` by a bare 417; RFC 9110 section 10.1.1 lets us ignore it.
    app.server.on('checkExpectation', (request, response) => app.routing(request, response))

    // Clients name the same host again and again.
    let lastValid: string | undefined
    function isKnownOrValid(host: string | undefined, httpVersion: string): boolean {
      if (host !== undefined && host === lastValid) return true
      const isValid = isHostValid(host, httpVersion)
      if (isValid) lastValid = host
      return isValid
    }

    app.step('malformed request', (request, reply, done) => {
      const { url, headers, raw } = request
      // Nobody upgrades here. Node loses what came along with such a request, so nothing may follow it.
      if (headers.upgrade !== undefined) reply.header('connection', 'close')
      const hasEscapes = url.includes('%')
      if (hasEscapes && url.includes('%00')) done(invalidText(request))
      else if (hasEscapes && isBroken(request)) done(new BadRequest({ detail: BROKEN_QUERY }))
      else if (!isKnownOrValid(headers.host, raw.httpVersion)) done(new BadRequest())
      else done()
    })
  },
  { name: 'malformed-requests' },
)

/** Whether a request has exactly one valid `Host` (RFC 9112 section 3.2); only HTTP/1.0 may omit it. */
export function isHostValid(host: string | undefined, httpVersion: string): boolean {
  if (host === undefined) return httpVersion === '1.0'
  return host.length <= MAX_HOST && HOST.test(host)
}

/** Whether a route reads a query that can't be decoded: the parser would leave it as it is, and a file be named `%zz`. */
function isBroken({ url, routeOptions }: FastifyRequest): boolean {
  if (routeOptions.schema?.querystring === undefined) return false
  const begin = url.indexOf('?')
  if (begin < 0) return false
  try {
    decodeURIComponent(url.slice(begin))
    return false
  } catch {
    return true
  }
}

/** Points at the parameter; the path of an unknown URL has none. */
function invalidText({ query, params, is404 }: FastifyRequest): Error {
  const flaw = findFlaw('query', query) ?? (is404 ? undefined : findFlaw('params', params))
  return new InvalidText(flaw === undefined ? {} : { errors: [flaw] })
}
