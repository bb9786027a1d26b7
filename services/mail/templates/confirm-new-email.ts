import { button, expiry, type MailContent, type MailLink, note, paragraph, step } from '../content.ts'
import type { MailSite } from '../site.ts'

export function confirmNewEmail({ name, signIn }: MailSite, link: MailLink): MailContent {
  return {
    subject: `Confirm your new email address for ${name}`,
    title: 'Confirm your new email address',
    blocks: [
      paragraph(`Please confirm that your ${name} account should use this address from now on.`),
      button('Use this address', link.url),
      expiry(link),
      ...step('The link has expired?', 'Sign in and change the address again', signIn),
      note('If you did not ask for it, ignore this mail: the account keeps the address that it has.'),
    ],
  }
}
