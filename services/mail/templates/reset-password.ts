import { button, expiry, type MailContent, type MailLink, note, paragraph, step } from '../content.ts'
import type { MailSite } from '../site.ts'

export function resetPassword({ name, forgot }: MailSite, link: MailLink): MailContent {
  return {
    subject: `Reset your ${name} password`,
    title: 'Reset your password',
    blocks: [
      paragraph(`Somebody, hopefully you, asked for a new password for your ${name} account.`),
      button('Choose a new password', link.url),
      expiry(link),
      ...step('The link has expired?', 'Send a new link', forgot),
      note('If you did not ask for it, ignore this mail: your password stays as it is.'),
    ],
  }
}
