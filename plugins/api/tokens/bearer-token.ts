import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** For `bearerToken`: null until it was asked, undefined when there is none. */
    tokenText: string | null | undefined
  }
}

/** Longest `Authorization` that is looked at, in characters; our tokens have a few hundred. */
const MAX_LENGTH = 2048

/** RFC 6750 section 2.1, with the characters of a JWT. */
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

export default fp(
  async (app) => {
    app.decorateRequest('tokenText', null)
  },
  { name: 'bearer-token' },
)

/**
 * Gives the token of a request's `Authorization`; undefined when it holds none that could be ours. Always the same
 * string, whose hash the tokens' cache then has to work out once.
 */
export function bearerToken(request: FastifyRequest): string | undefined {
  if (request.tokenText === null) {
    const { authorization } = request.headers
    const isShort = authorization !== undefined && authorization.length <= MAX_LENGTH
    request.tokenText = isShort ? BEARER.exec(authorization)?.[1] : undefined
  }
  return request.tokenText
}
