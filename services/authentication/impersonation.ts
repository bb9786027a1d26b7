import { because } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { StartedImpersonation, StartImpersonation } from '#schemas/impersonations.ts'
import { sendMail } from '#services/mail/mail.ts'
import { ImpersonationNotAllowed } from '#services/sessions/errors.ts'
import * as impersonations from '#services/sessions/impersonations.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { UserNotFound } from '#services/users/errors.ts'
import * as userRecords from '#services/users/records.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { type AuthContext, tokenPair } from './authentication.ts'

const MINUTE_MS = 60_000

/**
 * Lets an admin act in the place of a user for some minutes. The user is told by mail; what is done names both
 * (decision 093).
 *
 * @throws Forbidden, UserNotFound, ImpersonationNotAllowed
 */
export async function start(
  ctx: AuthContext,
  actor: Actor,
  { user_id, minutes, reason }: StartImpersonation,
): Promise<StartedImpersonation> {
  assertAdmin(actor)
  return transaction(because(ctx, reason), async (tx) => {
    const credentials = await userRecords.lockCredentials(tx, user_id)
    if (credentials === undefined) throw new UserNotFound()
    const { password_hash: _, email_verified_at: __, ...user } = credentials
    if (user.role === 'admin' || user.id === actor.id || !user.is_active) throw new ImpersonationNotAllowed()
    const terms = { impersonator: actor.id, reason, lifetimeMs: minutes * MINUTE_MS }
    const session = await sessionRecords.impersonate(tx, user, terms)
    const data = { at: tx.now().toISOString(), minutes }
    await sendMail(tx, { template: 'impersonated', to: user.email, data })
    const impersonation = await impersonations.get(tx, actor, session.sessionId)
    return { impersonation, tokens: tokenPair(ctx, user, session) }
  })
}
