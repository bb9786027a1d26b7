import { button, expiry, type MailContent, type MailLink, note, paragraph, step } from '../content.ts'
import type { MailSite } from '../site.ts'

export function verifyEmail({ name, resend }: MailSite, link: MailLink): MailContent {
  return {
    subject: `Confirm your email address for ${name}`,
    title: 'Confirm your email address',
    blocks: [
      paragraph(`Please confirm that this address is yours. After that you can sign in to ${name}.`),
      button('Confirm this address', link.url),
      expiry(link),
      ...step('The link has expired?', 'Send a new link', resend),
      note('If you did not create an account, ignore this mail: without the confirmation nobody can use it.'),
    ],
  }
}
