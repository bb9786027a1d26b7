import { type Static, Type } from '@sinclair/typebox'

/** Any characters, counted after NFC normalisation and never trimmed (OWASP ASVS 5.0 V6.2.9, NIST SP 800-63B). */
export const Password = Type.String({
  minLength: 8,
  maxLength: 128,
  'x-normalize': 'NFC',
  description: 'Password: 8 to 128 characters of any kind, spaces and emoji included.',
  examples: ['correct horse battery staple'],
})

/** A password that is only compared; it may be older than the rules for new ones. */
export const CurrentPassword = Type.String({
  minLength: 1,
  maxLength: 128,
  'x-normalize': 'NFC',
  description: 'Your current password.',
  examples: ['correct horse battery staple'],
})

/** Body of changePassword. */
export const ChangePassword = Type.Object(
  { current_password: CurrentPassword, new_password: Password },
  { $id: 'ChangePassword', additionalProperties: false, description: 'The current and the new password.' },
)
export type ChangePassword = Static<typeof ChangePassword>
