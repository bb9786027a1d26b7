/** The product's facts in mails, and where their next steps lead; undefined parts are left out. */
export interface MailSite {
  readonly name: string
  /** Where people sign in. */
  readonly signIn: string | undefined
  /** An email address or a URL. */
  readonly support: string | undefined
  /** Page that asks for a link to reset the password. */
  readonly forgot: string | undefined
  /** Page that asks for a new link to confirm an address. */
  readonly resend: string | undefined
}

/** The URL of a contact: `mailto:` for an email address. */
export function contactUrl(contact: string): string {
  return contact.includes('://') ? contact : `mailto:${encodeURIComponent(contact).replace('%40', '@')}`
}
