import { transaction } from '#lib/database/database.ts'
import type { Authentication } from '#schemas/sessions.ts'
import type { User } from '#schemas/users.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import type { AccountContext } from './context.ts'
import { assertStillPassword, confirmPassword } from './password.ts'

/**
 * Renews the proof of who the user of a session is, by the password. Every instance knows of it
 * within a second, this one at once.
 *
 * @throws WrongPassword, TooManyAttempts, PasswordQueueFull; Unauthenticated when the session has ended meanwhile
 */
export async function reauthenticate(
  ctx: AccountContext,
  user: User,
  sessionId: string,
  password: string,
): Promise<Authentication> {
  // As at login: counting writes, which a flood must not cause.
  using _place = ctx.passwords.enter()
  const confirmed = await confirmPassword(ctx, { user, sessionId }, password)
  const authentication = await transaction(ctx, async (tx) => {
    await assertStillPassword(tx, user, confirmed)
    const renewed = await sessionRecords.authenticateAgain(tx, sessionId, user.id)
    if (renewed === undefined) throw new Unauthenticated()
    return renewed
  })
  ctx.identities.forgetSession(sessionId)
  return authentication
}
