import type { MemberRole } from '#schemas/organizations.ts'

/**
 * Data of mails besides the recipient, by template. A mail may reach a stranger, so none of it is text that somebody
 * typed (decision 028), but for an organization's name, of which only plain words are shown (`plain-name.ts`); a user
 * agent is shown in words of ours. Times are RFC 3339.
 */
export interface TemplateData {
  'password-changed': { at: string }
  'email-changed': { at: string }
  impersonated: { at: string; minutes: number }
  'new-sign-in': { user_agent: string | null; ip: string; at: string }
  'webhook-failing': { webhook: string; since: string }
  'webhook-disabled': { webhook: string; since: string; reason: 'gone' | 'failing' }
  'organization-invitation': { organization: string; role: MemberRole }
  'file-quarantined': { file: string; at: string; reason: 'infected' | 'held'; shared: boolean }
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
  /** To somebody whom an organization invites. */
  'organization-invitation': 'accept-invitation',
} as const

/** Templates whose link has a token of one_time_tokens. */
export type LinkTemplate = Exclude<keyof typeof PAGES, 'organization-invitation'>

/** `already-registered` goes to the owner of an address that somebody tried to register again. */
export type NoticeTemplate = Exclude<keyof TemplateData, 'organization-invitation'> | 'already-registered'

/** The link's token: a row of one_time_tokens. The token itself is derived when the mail is sent. */
export interface TokenReference {
  readonly id: string
  /** RFC 3339. A mail that could not be sent until then is not sent any more. */
  readonly expires_at: string
}

interface Message<Name extends LinkTemplate | NoticeTemplate | 'organization-invitation'> {
  readonly template: Name
  /** The address alone, without a name. */
  readonly to: string
}

export interface LinkMessage extends Message<LinkTemplate> {
  readonly token: TokenReference
}

/** The token is that of an invitation (`services/invitations/token.ts`). */
export interface InvitationMessage extends Message<'organization-invitation'> {
  readonly token: TokenReference & { readonly org: string }
  readonly data: TemplateData['organization-invitation']
}

type DatedNotice = Exclude<NoticeTemplate, 'already-registered'>

export type NoticeMessage =
  | Message<'already-registered'>
  | { [Name in DatedNotice]: Message<Name> & { readonly data: TemplateData[Name] } }[DatedNotice]

/** A mail to be sent: a template, its data, and whom to. */
export type MailMessage = LinkMessage | InvitationMessage | NoticeMessage
