import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { AccessTokenClaims } from '#services/authentication/access-tokens.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'

/** Tells whom a verified token speaks for at this moment, if anybody. */
export interface Credentials {
  /** Returns the identity if it is known here and now; looks into memory, and does no more. */
  look(claims: AccessTokenClaims): Identity | undefined
  /**
   * Returns the identity; undefined when the session has ended, its user is gone or inactive, or the token promises a role
   * that the user has lost. A promise when the database has to be asked, which is done once for each request.
   */
  find(
    request: FastifyRequest,
    token: string,
    claims: AccessTokenClaims,
  ): Identity | Promise<Identity | undefined>
  /** The same for a token that comes without a request of its own. */
  ask(token: string, claims: AccessTokenClaims): Promise<Identity | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    credentials: Credentials
  }
  interface FastifyRequest {
    /** For `bearerToken`: null before the first call, undefined without a token. */
    tokenText: string | null | undefined
    /** For `bearerKey`: undefined before the first call of `bearerToken`, and without a key. */
    keyText: string | undefined
    /** The answer to `credentials.find`, once the database was asked. */
    owner: Promise<Identity | undefined> | undefined
  }
}

/** Longest `Authorization` that is looked at, in characters; our tokens have a few hundred. */
const MAX_LENGTH = 2048

/** RFC 6750 section 2.1, with the characters of a JWT, or of an API key. */
const BEARER = /^Bearer +(?:([\w-]+\.[\w-]+\.[\w-]+)|(gwk_\w+))$/i

/**
 * Decides whether a token that we issued is alive. The rate limit asks this before it takes from a user's budget, and
 * authentication before it lets the request in, so both share the answer. A dead token loses its place among the
 * verified ones: from then on it counts against its sender's network before anybody is asked about it again.
 */
export default fp(
  async (app) => {
    app.decorateRequest('tokenText', null)
    app.decorateRequest('keyText', undefined)
    app.decorateRequest('owner', undefined)

    async function ask(token: string, claims: AccessTokenClaims): Promise<Identity | undefined> {
      const kept = await app.identities.load(claims.sid)
      // A token may be newer than what is kept: another instance has just issued it to a promoted user.
      const isOlder = kept !== undefined && !speaksFor(claims, kept)
      const identity = isOlder ? await app.identities.reload(claims.sid) : kept
      if (identity !== undefined && speaksFor(claims, identity)) return identity
      app.tokens.forget(token)
      return undefined
    }

    app.decorate('credentials', {
      look(claims) {
        const identity = app.identities.look(claims.sid)
        return identity !== undefined && speaksFor(claims, identity) ? identity : undefined
      },
      ask,
      find(request, token, claims) {
        const known = request.owner === undefined ? app.identities.peek(claims.sid) : undefined
        if (known !== undefined && speaksFor(claims, known)) return known
        request.owner ??= ask(token, claims)
        return request.owner
      },
    })
  },
  { name: 'credentials', dependencies: ['identity', 'tokens'] },
)

/** Whether a token says no more than its user may; `user` is what everybody has at least. */
function speaksFor({ sub, role }: AccessTokenClaims, { user }: Identity): boolean {
  return user.id === sub && (role === 'user' || role === user.role)
}

/**
 * Returns the token of a request's `Authorization`; undefined when it holds no token that could be ours. Always the same
 * string, whose hash the tokens' cache then has to work out once.
 */
export function bearerToken(request: FastifyRequest): string | undefined {
  if (request.tokenText === null) {
    const { authorization } = request.headers
    const isShort = authorization !== undefined && authorization.length <= MAX_LENGTH
    const found = isShort ? BEARER.exec(authorization) : null
    request.tokenText = found?.[1]
    request.keyText = found?.[2]
  }
  return request.tokenText
}

/** Returns the API key of a request's `Authorization`; undefined when it holds none. */
export function bearerKey(request: FastifyRequest): string | undefined {
  return bearerToken(request) === undefined ? request.keyText : undefined
}
