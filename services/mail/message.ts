/** What each template is told. Times are RFC 3339. */
export interface TemplateData {
  /** Asks to confirm the address of a new account. */
  'verify-email': { username: string }
  /** To the owner of an address that somebody tried to register again. */
  'already-registered': { username: string }
  'reset-password': { username: string }
  'password-changed': { username: string; at: string }
  /** To the old address; the new one is shown in part. */
  'email-changed': { username: string; new_email: string; at: string }
  /** To the new address. */
  'confirm-new-email': { username: string }
  'new-sign-in': { username: string; user_agent: string | null; ip: string; at: string }
  /** To somebody for whom an administrator made an account. */
  'choose-password': { username: string }
}

export type MailTemplate = keyof TemplateData

/** The pages that links lead to; templates that are not here have no link. */
export const PAGES = {
  'verify-email': 'verify-email',
  'reset-password': 'reset-password',
  'confirm-new-email': 'confirm-email',
  'choose-password': 'choose-password',
} as const satisfies Partial<Record<MailTemplate, string>>

export type LinkTemplate = keyof typeof PAGES

/** The link's token: a row of one_time_tokens. The token itself is derived when the mail is sent. */
export interface TokenReference {
  readonly id: string
  /** RFC 3339. A mail that could not be sent until then is not sent any more. */
  readonly expires_at: string
}

interface Message<Name extends MailTemplate> {
  readonly template: Name
  /** The address alone, without a name. */
  readonly to: string
  readonly data: TemplateData[Name]
}

export type LinkMessage = {
  [Name in LinkTemplate]: Message<Name> & { readonly token: TokenReference }
}[LinkTemplate]

export type NoticeMessage = {
  [Name in Exclude<MailTemplate, LinkTemplate>]: Message<Name>
}[Exclude<MailTemplate, LinkTemplate>]

/** A mail to be sent: a template, its data, and whom to. */
export type MailMessage = LinkMessage | NoticeMessage
