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
