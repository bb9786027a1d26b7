import { because } from '#lib/context.ts'
import type { EndedSessions, EndSessions } from '#schemas/administered-users.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { end, endAll, type SessionContext } from './sessions.ts'

/**
 * Ends sessions of a user, as an admin: one, or all but the admin's own.
 *
 * @throws Forbidden, UserNotFound, SessionNotFound
 */
export async function endFor(
  ctx: SessionContext,
  actor: Actor & { readonly sessionId: string },
  userId: string,
  { session_id, reason }: EndSessions,
): Promise<EndedSessions> {
  assertAdmin(actor)
  const explained = because(ctx, reason)
  if (session_id === undefined) {
    const ended = await endAll(explained, actor, userId, actor.sessionId)
    return { ended: ended.length }
  }
  await end(explained, actor, userId, session_id)
  return { ended: 1 }
}
