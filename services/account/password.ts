import { transaction } from '#lib/database/database.ts'
import type { User } from '#schemas/users.ts'
import * as attempts from '#services/authentication/attempts.ts'
import { checkPassword } from '#services/passwords/passwords.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import * as userRecords from '#services/users/records.ts'
import type { AccountContext } from './context.ts'
import { WrongPassword } from './errors.ts'
import { passwordChanged } from './events.ts'
import { replacePassword } from './records.ts'

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
  const confirmed = await confirmPassword(ctx, { user, sessionId }, input.current_password)
  await assertAcceptable(ctx, input.new_password, user)
  const hash = await ctx.passwords.hash(input.new_password)
  const ended = await transaction(ctx, async (tx) => {
    await assertStillPassword(tx, user, confirmed)
    return replacePassword(tx, user, hash, passwordChanged, sessionId)
  })
  ctx.identities.forgetUser(user.id)
  for (const session of ended) ctx.identities.forgetSession(session)
}

/** A user, and the session in which it asks, which has a count of wrong passwords. */
export interface SignedIn {
  readonly user: User
  readonly sessionId: string
}

/**
 * Confirms that the user knows the password.
 *
 * @returns the hash that it was compared with, for `assertStillPassword`
 * @throws WrongPassword, TooManyAttempts, PasswordQueueFull
 */
export async function confirmPassword(
  ctx: AccountContext,
  { user, sessionId }: SignedIn,
  password: string,
): Promise<string> {
  const attempt = await attempts.begin(ctx, { session: sessionId })
  const confirmed = await checkOwn(ctx, user, password).catch(attempt.undo)
  if (confirmed === undefined) throw new WrongPassword()
  await attempt.succeeded()
  return confirmed
}

async function checkOwn(ctx: AccountContext, user: User, password: string): Promise<string | undefined> {
  const credentials = await userRecords.findCredentials(ctx, user.email)
  return checkPassword(ctx, credentials?.id === user.id ? credentials : undefined, password)
}

/**
 * Locks the user until the transaction ends, and lets only the password pass that was confirmed: one that was
 * reset meanwhile must not be able to undo that.
 *
 * @throws WrongPassword
 */
export async function assertStillPassword(ctx: AccountContext, user: User, confirmed: string): Promise<void> {
  const credentials = await userRecords.lockCredentials(ctx, user.id)
  if (credentials?.password_hash !== confirmed) throw new WrongPassword()
}
