import { transaction } from '#lib/database/database.ts'
import type { AccountContext } from '#services/account/context.ts'
import { passwordReset } from '#services/account/events.ts'
import { replacePassword } from '#services/account/records.ts'
import { forgive } from '#services/authentication/attempts.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { consume, inspect, type Purpose } from '#services/one-time-tokens/one-time-tokens.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import * as userRecords from '#services/users/records.ts'
import { resetMailJob } from './jobs.ts'

const RESET: readonly Purpose[] = ['reset_password', 'choose_password']

/** Asks for a link to reset the password; never tells whether there is an account. */
export async function forgot(ctx: AccountContext, email: string): Promise<void> {
  await ctx.jobs.enqueue(ctx.db, resetMailJob, { email })
}

/**
 * Sets a password by the token that was mailed. All sessions end, all pending tokens are void, and the wrong
 * passwords that were counted for the account are forgiven.
 *
 * @throws InvalidOneTimeToken, PasswordQueueFull and what the policy refuses, which leaves the token usable
 */
export async function reset(ctx: AccountContext, token: string, password: string): Promise<void> {
  const { user_id } = await inspect(ctx, token, RESET)
  const user = await userRecords.find(ctx, user_id)
  if (!user?.is_active) throw new InvalidOneTimeToken()
  await assertAcceptable(ctx, password, user)
  const hash = await ctx.passwords.hash(password)
  const ended = await transaction(ctx, async (tx) => {
    const owner = await userRecords.lockCredentials(tx, user.id)
    if (!owner?.is_active || !(await consume(tx, token, RESET))) throw new InvalidOneTimeToken()
    // The link came by mail, so the address is the user's.
    await userRecords.markVerified(tx, user.id)
    const sessions = await replacePassword(tx, user, hash, passwordReset)
    await forgive(tx, user.email)
    return sessions
  })
  ctx.identities.forgetUser(user.id)
  for (const session of ended) ctx.identities.forgetSession(session)
}
