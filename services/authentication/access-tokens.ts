import { validate as isUuid } from 'uuid'
import type { Role } from '#schemas/users.ts'

/** The verified claims of an access token. */
export interface AccessTokenClaims {
  /** Id of the user. */
  readonly sub: string
  /** Id of the session. */
  readonly sid: string
  /** The user's role when the token was issued. */
  readonly role: Role
  /** When it was issued and when it ends, in seconds since 1970. */
  readonly iat: number
  readonly exp: number
  /** Id of the token. */
  readonly jti: string
}

/** Claims and limits that all of our tokens share. */
export interface TokenPolicy {
  readonly issuer: string
  readonly audience: string
  /** Longest life of a token in seconds. */
  readonly lifetimeS: number
}

/** Seconds by which the clocks of two instances may differ: each may be a minute off, either way. */
const CLOCK_SKEW_SECONDS = 120

/** Segments of base64url as an encoder spells them: unused bits are zero. */
const SEGMENT = '(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?'
const COMPACT = new RegExp(`^(${SEGMENT})\\.(${SEGMENT})\\.(${SEGMENT})$`)

/**
 * Returns the first segment of a token in compact serialization (RFC 7515 section 7.1).
 *
 * @throws TypeError for any other text, also when a lenient decoder would read the same bytes from it
 */
export function headerSegment(token: string): string {
  const header = COMPACT.exec(token)?.[1]
  if (header === undefined) throw new TypeError('this is not a token in its one spelling')
  return header
}

/** Returns the first segment of every token with this header. */
export function encodeHeader(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString('base64url')
}

/**
 * Takes the payload of a token whose signature holds, and demands every claim that we issue, of the type that
 * we issue, and no other. That it has not expired is for the caller to see.
 *
 * @throws TypeError for what we would not have issued
 */
export function readClaims(payload: object, policy: TokenPolicy, now: Date): AccessTokenClaims {
  const { iss, aud, sub, sid, role, iat, exp, jti, ...others }: Record<string, unknown> = { ...payload }
  if (Object.keys(others).length > 0) throw new TypeError('the token has claims that we do not issue')
  if (iss !== policy.issuer || aud !== policy.audience) throw new TypeError('the token is not of or for us')
  if (!isId(sub) || !isId(jti) || !isId(sid)) throw new TypeError('an id is invalid')
  if (!isRole(role)) throw new TypeError('the role is invalid')
  if (!isTime(iat) || !isTime(exp)) throw new TypeError('a time is invalid')
  if (iat > now.getTime() / 1000 + CLOCK_SKEW_SECONDS) throw new TypeError('the token is not issued yet')
  if (exp <= iat || exp - iat > policy.lifetimeS) throw new TypeError('the lifetime is not one of ours')
  return { sub, sid, role, iat, exp, jti }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isUuid(value)
}

function isRole(value: unknown): value is Role {
  return value === 'user' || value === 'admin'
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
