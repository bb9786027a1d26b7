import { button, expiry, type MailContent, type MailLink, note, paragraph, step } from '../content.ts'
import type { MailSite } from '../site.ts'

export function choosePassword({ name, forgot }: MailSite, link: MailLink): MailContent {
  return {
    subject: `Your ${name} account`,
    title: 'An account was created for you',
    blocks: [
      paragraph(`An administrator has created an account with ${name} for you. Choose a password to begin.`),
      button('Choose a password', link.url),
      expiry(link),
      ...step('The link has expired?', 'Send a new link', forgot),
      note('If you did not expect this, ignore this mail: without a password nobody can use the account.'),
    ],
  }
}
