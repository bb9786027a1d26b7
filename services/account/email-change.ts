import type { User } from '#schemas/users.ts'
import { sendMail } from '#services/mail/mail.ts'
import { issue, voidAll } from '#services/one-time-tokens/one-time-tokens.ts'
import { recordEvent } from '#services/security-events/security-events.ts'
import * as users from '#services/users/users.ts'
import type { AccountContext } from './context.ts'
import { emailChangeMailJob } from './jobs.ts'

/**
 * Voids the older link and issues one for the new address, whatever that address is: what becomes of the older
 * link must not tell whether somebody has the address. The worker finds out whom to mail what.
 */
export async function requestEmailChange(ctx: AccountContext, user: User, email: string): Promise<void> {
  const token = await issue(ctx, { user_id: user.id, purpose: 'change_email', new_email: email })
  await ctx.jobs.enqueue(ctx.db, emailChangeMailJob, token)
}

/**
 * Gives a user the address that was confirmed, and tells the old one. Belongs in a transaction.
 *
 * @returns the user's id
 * @throws EmailTaken, UserNotFound
 */
export async function changeEmail(ctx: AccountContext, userId: string, newEmail: string): Promise<string> {
  const before = await users.replaceEmail(ctx, userId, newEmail)
  // Links that went to the old address are worth nothing any more.
  await voidAll(ctx, userId)
  await recordEvent(ctx, { kind: 'email_changed', user_id: userId })
  const data = { at: ctx.now().toISOString() }
  await sendMail(ctx, { template: 'email-changed', to: before.email, data })
  return userId
}
