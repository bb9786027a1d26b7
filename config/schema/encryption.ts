import { Type } from '@sinclair/typebox'
import { Secret, Section } from './kinds.ts'

/** Keys below `encryption`. */
export const EncryptionSettings = Section('Encryption of secrets that the database keeps.', {
  keys: Type.Optional(
    Secret({
      format: 'encryption-keys',
      description:
        'Keys with which secrets are encrypted before they are stored, 32 bytes in base64 each; `npm run encryption -- new` makes one. The first encrypts, all of them decrypt (docs/operations/secrets.md). They depend on nothing else: a new `jwt.secret` leaves them as they are. Without them, what they encrypted is lost.',
    }),
  ),
})
