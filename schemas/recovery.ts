import { type Static, Type } from '@sinclair/typebox'
import { MailedToken } from './one-time-tokens.ts'
import { Password } from './passwords.ts'

/** Body of resetPassword. */
export const ResetPassword = Type.Object(
  { token: MailedToken, password: Password },
  { $id: 'ResetPassword', additionalProperties: false, description: 'A mailed token and the new password.' },
)
export type ResetPassword = Static<typeof ResetPassword>
