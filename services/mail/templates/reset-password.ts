import { button, expiry, type MailContent, type MailLink, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function resetPassword({ username }: TemplateData['reset-password'], link: MailLink): MailContent {
  return {
    subject: 'Reset your password',
    title: 'Reset your password',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('Somebody, hopefully you, asked for a new password for your account.'),
      button('Choose a new password', link),
      expiry(link),
      note("If you didn't ask for it, ignore this mail: your password stays as it is."),
    ],
  }
}
