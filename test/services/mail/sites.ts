import type { MailSite } from '#services/mail/site.ts'

/** A product that has said nothing of itself. */
export const BARE: MailSite = {
  name: 'Groundwork',
  signIn: undefined,
  support: undefined,
  forgot: undefined,
  resend: undefined,
}
