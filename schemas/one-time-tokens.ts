import { type Static, Type } from '@sinclair/typebox'
import { StringEnum } from './primitives.ts'
import { KnownEmail } from './users.ts'

export const MailedToken = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'The token from the link in the mail.',
  examples: ['uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1'],
})

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
      description: 'If a mail to the address is due, it is on its way.',
      examples: ['accepted'],
    }),
  },
  { $id: 'MailRequested', additionalProperties: false, description: 'The request is accepted.' },
)
export type MailRequested = Static<typeof MailRequested>
