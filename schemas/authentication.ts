import { type Static, Type } from '@sinclair/typebox'
import { StringEnum } from './primitives.ts'
import { ref } from './registry.ts'
import { CurrentPassword, KnownEmail, Password, User } from './users.ts'

/** Body of login. */
export const Login = Type.Object(
  { email: KnownEmail, password: CurrentPassword },
  { $id: 'Login', additionalProperties: false, description: 'Credentials of a user.' },
)
export type Login = Static<typeof Login>

const RefreshTokenText = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'Opaque token that gives the next pair, once; keep it secret.',
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
      description: 'Life of the token in seconds.',
      examples: [900],
    }),
    refresh_token: RefreshTokenText,
    user: ref(User),
  },
  { $id: 'TokenPair', additionalProperties: false, description: 'Tokens of a session and whose it is.' },
)
export type TokenPair = Static<typeof TokenPair>

/** Body of refreshTokens. */
export const Refresh = Type.Object(
  { refresh_token: RefreshTokenText },
  { $id: 'Refresh', additionalProperties: false, description: 'The refresh token to exchange.' },
)
export type Refresh = Static<typeof Refresh>

const MailedToken = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'The token from the link in the mail.',
  examples: ['uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1'],
})

/** Body of verifyEmail. */
export const VerifyEmail = Type.Object(
  { token: MailedToken },
  { $id: 'VerifyEmail', additionalProperties: false, description: 'Proof that a mail was received.' },
)
export type VerifyEmail = Static<typeof VerifyEmail>

/** Body of the requests for a mail. */
export const MailRequest = Type.Object(
  { email: KnownEmail },
  { $id: 'MailRequest', additionalProperties: false, description: 'The address to send to.' },
)
export type MailRequest = Static<typeof MailRequest>

/** Answer to a request for a mail; the same whether or not there is an account. */
export const MailRequested = Type.Object(
  {
    status: StringEnum(['accepted'], {
      description: 'If the address is one that such a mail is for, it is on its way.',
      examples: ['accepted'],
    }),
  },
  { $id: 'MailRequested', additionalProperties: false, description: 'The request is taken.' },
)
export type MailRequested = Static<typeof MailRequested>

/** Body of resetPassword. */
export const ResetPassword = Type.Object(
  { token: MailedToken, password: Password },
  { $id: 'ResetPassword', additionalProperties: false, description: 'A mailed token and the new password.' },
)
export type ResetPassword = Static<typeof ResetPassword>
