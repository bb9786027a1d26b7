import { randomUUID } from 'node:crypto'
import type { JWT } from '@fastify/jwt'
import fp from 'fastify-plugin'
import { createLru } from '#lib/cache/lru.ts'
import type { JsonWebKeySet } from '#schemas/signing-keys.ts'
import type { Role } from '#schemas/users.ts'
import {
  type AccessTokenClaims,
  encodeHeader,
  headerSegment,
  readClaims,
} from '#services/authentication/access-tokens.ts'
import type { TokenIssuer } from '#services/authentication/authentication.ts'
import { loadKeys, registerKey } from './keys.ts'

/** Issues and checks access tokens. */
export interface Tokens extends TokenIssuer {
  /**
   * Verifies a token and returns its claims. Synchronous; a token that was seen before costs one cache lookup.
   *
   * @throws whatever, for everything that we did not issue or that has expired
   */
  verify(token: string): AccessTokenClaims
  /** Returns the claims of a token that was verified here before and is still valid; only looks them up. */
  peek(token: string): AccessTokenClaims | undefined
  /** Forgets that a token was verified here, because nobody is behind it any more. */
  forget(token: string): void
  /** The public keys with which others can verify our tokens. */
  readonly keySet: JsonWebKeySet
}

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext {
    readonly tokens: TokenIssuer
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Tokens
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; sid: string; role: Role; jti: string }
    /** One for each key. */
    namespaces: string
  }
}

/** Tokens kept with what they say, at about a kilobyte each. */
const CACHE_SIZE = 10_000

/**
 * Access tokens (@fastify/jwt). Each key has one header, byte by byte, and a token is accepted only when it
 * begins with that of a key: so no token can choose its algorithm, bring a key along or say anything critical.
 */
export default fp(
  async (app) => {
    const { issuer, audience, expires_in } = app.config.jwt
    const policy = { issuer, audience, lifetimeS: expires_in / 1000 }
    const { signing, others, keySet } = await loadKeys(app)
    const signer = await registerKey(app, signing)
    const verifiers = new Map<string, JWT>([[encodeHeader(signing.header), signer]])
    for (const key of others) verifiers.set(encodeHeader(key.header), await registerKey(app, key))
    const known = createLru<AccessTokenClaims>(CACHE_SIZE)

    function check(token: string): AccessTokenClaims {
      const verifier = verifiers.get(headerSegment(token))
      if (verifier === undefined) throw new TypeError('the token is not of one of our keys')
      return readClaims(verifier.verify<object>(token), policy, new Date())
    }

    function peek(token: string): AccessTokenClaims | undefined {
      const claims = known.get(token)
      return claims !== undefined && isAlive(claims) ? claims : undefined
    }

    const tokens: Tokens = {
      issue: ({ id, role }, session) => signer.sign({ sub: id, sid: session, role, jti: randomUUID() }),
      peek,
      verify(token) {
        const seen = peek(token)
        if (seen !== undefined) return seen
        const claims = check(token)
        if (!isAlive(claims)) throw new TypeError('the token has expired')
        known.set(token, claims)
        return claims
      },
      forget: (token) => void known.delete(token),
      lifetimeS: policy.lifetimeS,
      keySet,
    }
    app.decorate('tokens', tokens)
    app.addContext({ tokens })
  },
  { name: 'tokens', dependencies: ['context'] },
)

function isAlive({ exp }: AccessTokenClaims): boolean {
  return exp * 1000 > Date.now()
}
