import { button, expiry, type MailContent, type MailLink, note, paragraph } from '../content.ts'
import type { TemplateData } from '../message.ts'

export function verifyEmail({ username }: TemplateData['verify-email'], link: MailLink): MailContent {
  return {
    subject: 'Confirm your email address',
    title: 'Confirm your email address',
    blocks: [
      paragraph(`Hello ${username},`),
      paragraph('Please confirm that this address is yours. After that you can sign in.'),
      button('Confirm this address', link),
      expiry(link),
      note("If you didn't create an account, ignore this mail: without the confirmation nobody can use it."),
    ],
  }
}
