import { button, type MailContent, note, paragraph, step } from '../content.ts'
import type { MailSite } from '../site.ts'

export function alreadyRegistered({ name, signIn, forgot }: MailSite): MailContent {
  return {
    subject: `You already have an account with ${name}`,
    title: 'You already have an account',
    blocks: [
      paragraph(
        `Somebody tried to use this email address with ${name}, but it already belongs to your account. Nothing was changed.`,
      ),
      paragraph('If this was you, sign in as usual, or ask for a new password if you have forgotten it.'),
      ...(signIn === undefined ? [] : [button('Sign in', signIn)]),
      ...step('Forgot your password?', 'Choose a new one', forgot),
      note('If this was not you, there is nothing to do.'),
    ],
  }
}
