import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import { tell } from '#services/events/emit.ts'
import * as userRecords from '#services/users/records.ts'
import { invitationCreated, invitationDeclined, invitationResent, invitationRevoked } from './events.ts'

/** The end of an invitation, or a new beginning. */
export type Fate = 'resent' | 'revoked' | 'declined'

const FATES = { resent: invitationResent, revoked: invitationRevoked, declined: invitationDeclined }

/** An invitation, for whom it is, and what there is to tell: the role of a new one, or what became of it. */
type News = { readonly org: string; readonly id: string; readonly email: string } & (
  | { readonly role: MemberRole }
  | { readonly fate: Fate }
)

/**
 * Tells the account that has an invitation's address, if it has confirmed it: others don't see the invitation either. It is
 * looked up here, so that those who invite can't find out whether there is an account.
 */
export const tellInvitedJob = defineJob({
  name: 'tell_invited',
  handler: async (ctx: Context, news: News, run) => {
    await transaction(ctx, async (tx) => {
      const account = await userRecords.findByEmail(tx, news.email)
      if (account?.is_active && account.email_verified_at !== null) {
        const about = { subject: news.id, org: news.org, toldTo: account.id }
        const system = { ...tx, db: new SystemDatabase(tx.db) }
        if ('role' in news) await tell(system, invitationCreated, { ...about, data: { role: news.role } })
        else await tell(system, FATES[news.fate], { ...about, data: {} })
      }
      await run.complete(tx.db)
    })
  },
})
