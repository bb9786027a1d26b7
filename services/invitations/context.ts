import type { Cursors } from '#lib/pagination/cursors.ts'
import type { AccountContext } from '#services/account/context.ts'
import type { MembershipsContext } from '#services/members/members.ts'

/** Settings of invitations. */
export interface InvitationSettings {
  /** Milliseconds until one expires. */
  readonly lifetimeMs: number
  /** Members of one organization. */
  readonly maxMembers: number
  /** Mails that one organization sends in a day. */
  readonly mailsPerOrganization: number
  /** Mails that one address is sent in a day, by all organizations. */
  readonly mailsPerAddress: number
}

/** The parts that work on invitations needs. */
export interface InvitationContext extends AccountContext, MembershipsContext {
  readonly invitations: InvitationSettings
  readonly cursors: Cursors
}
