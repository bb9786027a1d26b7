import type { Context } from '#lib/context.ts'
import * as queries from './queries.ts'

/** How many mails of a topic anybody can make us send to one address. */
export interface MailLimit {
  readonly perAccount: number
  /** Milliseconds. */
  readonly windowMs: number
}

/**
 * Counts a mail to an address that need not be the caller's; returns false beyond the limit. Topics
 * count apart, so that nobody can keep a link to reset the password from coming by asking for other mails.
 */
export async function mayMail(
  ctx: Context & { mailLimit: MailLimit },
  email: string,
  topic: queries.MailTopic,
): Promise<boolean> {
  const { perAccount, windowMs } = ctx.mailLimit
  return queries.countMail(ctx.db, { mail: email, topic }, { windowMs, limit: perAccount })
}

const DAY_MS = 24 * 60 * 60 * 1000

/** How many invitations go out in a day. */
export interface InvitationLimits {
  readonly mailsPerOrganization: number
  readonly mailsPerAddress: number
}

/**
 * Counts an invitation, for the organization that sends it and for the address, which any number of organizations can
 * name. Belongs in a transaction, which a refusal undoes.
 *
 * @returns the seconds to wait, if it is beyond a limit
 */
export async function mayInvite(
  { db }: Pick<Context, 'db'>,
  { organization, email }: { organization: string; email: string },
  { mailsPerOrganization, mailsPerAddress }: InvitationLimits,
): Promise<number | undefined> {
  // In this order everywhere, so that none waits for the other in a circle.
  const counts: [queries.MailSubject, number][] = [
    [{ organization }, mailsPerOrganization],
    [{ mail: email, topic: 'invitation' }, mailsPerAddress],
  ]
  for (const [subject, limit] of counts) {
    if (!(await queries.countMail(db, subject, { windowMs: DAY_MS, limit }))) {
      return Math.max(await queries.selectRemaining(db, subject), 1)
    }
  }
  return undefined
}
