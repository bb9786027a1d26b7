import { type Static, Type } from '@sinclair/typebox'
import { MailedToken } from './one-time-tokens.ts'
import { StringEnum } from './primitives.ts'

/** Answer of createUser where addresses are confirmed first; the same whether or not the address is known. */
export const RegistrationAccepted = Type.Object(
  {
    status: StringEnum(['verification_required'], {
      description: 'The next step: the link in the mail that was sent to the address.',
      examples: ['verification_required'],
    }),
  },
  { $id: 'RegistrationAccepted', additionalProperties: false, description: 'A registration that waits.' },
)
export type RegistrationAccepted = Static<typeof RegistrationAccepted>

/** Body of verifyEmail. */
export const VerifyEmail = Type.Object(
  { token: MailedToken },
  { $id: 'VerifyEmail', additionalProperties: false, description: 'Proof that a mail was received.' },
)
export type VerifyEmail = Static<typeof VerifyEmail>
