import type { User } from '#schemas/users.ts'
import { emit } from '#services/events/emit.ts'
import { sendMail } from '#services/mail/mail.ts'
import { voidAll } from '#services/one-time-tokens/one-time-tokens.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import * as userRecords from '#services/users/records.ts'
import type { AccountContext } from './context.ts'
import { emailChanged, type passwordChanged, type passwordReset } from './events.ts'

// What a proved account gets, by whichever flow it was proved. Nothing here asks who the actor is, so routes never
// import it; each belongs in the transaction of its flow.

/**
 * Sets a checked password: the user's sessions end but the kept one, pending tokens are void, and a mail tells of it. The
 * caller forgets the sessions after the commit.
 *
 * @returns the sessions that ended, also those of others in which the user acted
 */
export async function replacePassword(
  ctx: AccountContext,
  user: User,
  hash: string,
  event: typeof passwordChanged | typeof passwordReset,
  keptSession?: string,
): Promise<string[]> {
  await userRecords.setPasswordHash(ctx, user.id, hash)
  const ended = await sessionRecords.endAll(ctx, user.id, keptSession)
  await voidAll(ctx, user.id)
  const actor = { kind: 'user', id: user.id } as const
  await emit(ctx, event, { subject: user.id, actor, data: {} })
  const data = { at: ctx.now().toISOString() }
  await sendMail(ctx, { template: 'password-changed', to: user.email, data })
  return ended
}

/**
 * Sets a user's confirmed address, and tells the old one.
 *
 * @returns the user's id
 * @throws EmailTaken, UserNotFound
 */
export async function changeEmail(ctx: AccountContext, userId: string, newEmail: string): Promise<string> {
  const before = await userRecords.replaceEmail(ctx, userId, newEmail)
  // Links that went to the old address are worth nothing any more.
  await voidAll(ctx, userId)
  const actor = { kind: 'user', id: userId } as const
  await emit(ctx, emailChanged, { subject: userId, actor, data: {} })
  const data = { at: ctx.now().toISOString() }
  await sendMail(ctx, { template: 'email-changed', to: before.email, data })
  return userId
}
