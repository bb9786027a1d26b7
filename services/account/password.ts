import { transaction } from '#lib/database/database.ts'
import type { User } from '#schemas/users.ts'
import { guard } from '#services/authentication/attempts.ts'
import { sendMail } from '#services/mail/mail.ts'
import { voidAll } from '#services/one-time-tokens/one-time-tokens.ts'
import { checkPassword } from '#services/passwords/check-password.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import { recordEvent, type SecurityEvent } from '#services/security-events/security-events.ts'
import * as sessions from '#services/sessions/sessions.ts'
import * as users from '#services/users/users.ts'
import type { AccountContext } from './context.ts'
import { WrongPassword } from './errors.ts'

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

/**
 * Sets a checked password: the user's sessions end but the kept one, pending tokens are void, and a mail tells of it.
 * Belongs in a transaction.
 */
export async function replacePassword(
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
