/**
 * Data of mails besides the recipient, by template. None of it is text that somebody typed, and
 * templates show a user agent in words of ours only: a mail may reach a stranger (decision 028). Times are RFC 3339.
 */
export interface TemplateData {
  'password-changed': { at: string }
  'email-changed': { at: string }
  'new-sign-in': { user_agent: string | null; ip: string; at: string }
}

/** The pages that links lead to; templates that are not here have no link. */
export const PAGES = {
  /** Asks to confirm the address of a new account. */
  'verify-email': 'verify-email',
  'reset-password': 'reset-password',
  /** To the new address. */
  'confirm-new-email': 'confirm-email',
  /** To somebody for whom an administrator created an account. */
  'choose-password': 'choose-password',
} as const

export type LinkTemplate = keyof typeof PAGES

/** `already-registered` goes to the owner of an address that somebody tried to register again. */
export type NoticeTemplate = keyof TemplateData | 'already-registered'

/** The link's token: a row of one_time_tokens. The token itself is derived when the mail is sent. */
export interface TokenReference {
  readonly id: string
  /** RFC 3339. A mail that could not be sent until then is not sent any more. */
  readonly expires_at: string
}

interface Message<Name extends LinkTemplate | NoticeTemplate> {
  readonly template: Name
  /** The address alone, without a name. */
  readonly to: string
}

export interface LinkMessage extends Message<LinkTemplate> {
  readonly token: TokenReference
}

export type NoticeMessage =
  | Message<'already-registered'>
  | {
      [Name in keyof TemplateData]: Message<Name> & { readonly data: TemplateData[Name] }
    }[keyof TemplateData]

/** A mail to be sent: a template, its data, and whom to. */
export type MailMessage = LinkMessage | NoticeMessage
