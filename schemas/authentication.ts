import { type Static, Type } from '@sinclair/typebox'
import { CurrentPassword } from './passwords.ts'
import { StringEnum } from './primitives.ts'
import { ref } from './registry.ts'
import { KnownEmail, User } from './users.ts'

/** Body of login. */
export const Login = Type.Object(
  { email: KnownEmail, password: CurrentPassword },
  { $id: 'Login', additionalProperties: false, description: 'Credentials of a user.' },
)
export type Login = Static<typeof Login>

/** Body of reauthenticate. */
export const Reauthenticate = Type.Object(
  { password: CurrentPassword },
  { $id: 'Reauthenticate', additionalProperties: false, description: 'Your password.' },
)
export type Reauthenticate = Static<typeof Reauthenticate>

const RefreshTokenText = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'Opaque token that returns the next pair, once; keep it secret.',
  examples: ['4wXwqgjvE0n3vVq3cVvS1k4GqL5mXb0oT1mHqYtQk2s'],
})

/** Answer of login and refresh: a pair of tokens, after RFC 6749 section 5.1. */
export const TokenPair = Type.Object(
  {
    access_token: Type.String({
      description: 'JWT to send as `Authorization: Bearer ...` (RFC 6750).',
      examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.signature'],
    }),
    token_type: StringEnum(['Bearer'], { description: 'How to use the token.', examples: ['Bearer'] }),
    expires_in: Type.Integer({
      minimum: 1,
      description: 'Lifetime of the token in seconds.',
      examples: [900],
    }),
    refresh_token: RefreshTokenText,
    user: ref(User),
  },
  { $id: 'TokenPair', additionalProperties: false, description: 'Tokens of a session, and its user.' },
)
export type TokenPair = Static<typeof TokenPair>

/** Body of refreshTokens. */
export const Refresh = Type.Object(
  { refresh_token: RefreshTokenText },
  { $id: 'Refresh', additionalProperties: false, description: 'The refresh token to exchange.' },
)
export type Refresh = Static<typeof Refresh>

/**
 * Answer of the panel's session: what TokenPair has, but the refresh token, which its cookie keeps. It is not part of the
 * document, as the panel's routes are not.
 */
export const PanelTokens = Type.Omit(TokenPair, ['refresh_token'], {
  additionalProperties: false,
  description: 'The access token of a session of the admin panel, and its user.',
})
export type PanelTokens = Static<typeof PanelTokens>
