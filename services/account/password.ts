import { transaction } from '#lib/database/database.ts'
import type { User } from '#schemas/users.ts'
import { forgive, guard } from '#services/authentication/attempts.ts'
import { sendMail } from '#services/mail/mail.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { consume, inspect, type Purpose, voidAll } from '#services/one-time-tokens/one-time-tokens.ts'
import { checkPassword } from '#services/passwords/check-password.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import { recordEvent, type SecurityEvent } from '#services/security-events/security-events.ts'
import * as sessions from '#services/sessions/sessions.ts'
import * as users from '#services/users/users.ts'
import type { AccountContext } from './context.ts'
import { WrongPassword } from './errors.ts'
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
  const user = await users.find(ctx, user_id)
  if (!user?.is_active) throw new InvalidOneTimeToken()
  await assertAcceptable(ctx, password, user)
  const hash = await ctx.passwords.hash(password)
  await transaction(ctx, async (tx) => {
    const owner = await users.lockCredentials(tx, user.id)
    if (!owner?.is_active || !(await consume(tx, token, RESET))) throw new InvalidOneTimeToken()
    // The link came by mail, so the address is the user's.
    await users.markVerified(tx, user.id)
    await replacePassword(tx, user, hash, 'password_reset')
    await forgive(tx, user.email)
  })
  ctx.identities.forgetUser(user.id)
}

/**
 * Changes one's own password. All other sessions end and all pending tokens are void.
 *
 * @throws WrongPassword, TooManyAttempts, PasswordQueueFull and what the policy refuses
 */
export async function change(
  ctx: AccountContext,
  user: User,
  sessionId: string,
  input: { current_password: string; new_password: string },
): Promise<void> {
  const confirmed = await confirmPassword(ctx, user, input.current_password)
  await assertAcceptable(ctx, input.new_password, user)
  const hash = await ctx.passwords.hash(input.new_password)
  await transaction(ctx, async (tx) => {
    await assertStillPassword(tx, user, confirmed)
    await replacePassword(tx, user, hash, 'password_changed', sessionId)
  })
  ctx.identities.forgetUser(user.id)
}

/**
 * Lets the owner pass who knows the password; wrong ones count like those of a login.
 *
 * @returns the hash that it was compared with, for `assertStillPassword`
 * @throws WrongPassword, TooManyAttempts, PasswordQueueFull
 */
export async function confirmPassword(ctx: AccountContext, user: User, password: string): Promise<string> {
  const confirmed = await guard(ctx, user.email, async () => {
    const credentials = await users.findCredentials(ctx, user.email)
    return checkPassword(ctx, credentials?.id === user.id ? credentials : undefined, password)
  })
  if (confirmed === undefined) throw new WrongPassword()
  return confirmed
}

/**
 * Locks the user until the transaction ends, and lets only the password pass that was confirmed: one that was
 * reset meanwhile must not be able to undo that.
 *
 * @throws WrongPassword
 */
export async function assertStillPassword(ctx: AccountContext, user: User, confirmed: string): Promise<void> {
  const credentials = await users.lockCredentials(ctx, user.id)
  if (credentials?.password_hash !== confirmed) throw new WrongPassword()
}

async function replacePassword(
  ctx: AccountContext,
  user: User,
  hash: string,
  kind: SecurityEvent['kind'],
  keptSession?: string,
): Promise<void> {
  await users.setPasswordHash(ctx, user.id, hash)
  await sessions.endAll(ctx, user, user.id, keptSession)
  await voidAll(ctx, user.id)
  await recordEvent(ctx, { kind, user_id: user.id })
  const data = { at: ctx.now().toISOString() }
  await sendMail(ctx, { template: 'password-changed', to: user.email, data })
}
