import { button, facts, type MailContent, note, paragraph, readableTime, step } from '../content.ts'
import type { TemplateData } from '../message.ts'
import type { MailSite } from '../site.ts'

export function passwordChanged(
  { name, signIn, forgot }: MailSite,
  { at }: TemplateData['password-changed'],
): MailContent {
  return {
    subject: `Your ${name} password was changed`,
    title: 'Your password was changed',
    blocks: [
      paragraph(`The password of your ${name} account was changed. Other devices have been signed out.`),
      facts(['When', readableTime(new Date(at))]),
      ...(signIn === undefined ? [] : [button('Sign in', signIn)]),
      note(
        'If this was not you, ask for a new password at once; the mail with the link will come to this address. Then check your sessions.',
      ),
      ...step('This was not you?', 'Choose a new password', forgot),
    ],
  }
}
