import { because, type Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  CurrentSession,
  Impersonation,
  ImpersonationPage,
  ListImpersonationsQuery,
} from '#schemas/impersonations.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import { emitting } from '#services/events/emit.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { ImpersonationNotFound } from './errors.ts'
import { sessionsEnded } from './events.ts'
import { endSessions } from './queries.ts'
import * as queries from './queries-of-impersonations.ts'
import type { SessionContext } from './sessions.ts'

// Sessions in which an admin acts in somebody's place. They begin in services/authentication/impersonation.ts.

const LIST = 'impersonations'

/**
 * Returns a page of them, newest first, as long as sessions are kept.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: Context & { readonly cursors: Cursors },
  actor: Actor,
  { limit, cursor }: ListImpersonationsQuery,
): Promise<ImpersonationPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const rows = await queries.selectImpersonations(ctx.db, { before, limit: limit + 1 })
  return ctx.cursors.page(LIST, rows, limit)
}

/**
 * Returns one of them.
 *
 * @throws Forbidden, ImpersonationNotFound
 */
export async function get(ctx: Pick<Context, 'db'>, actor: Actor, id: string): Promise<Impersonation> {
  assertAdmin(actor)
  const found = await queries.selectImpersonation(ctx.db, id)
  if (found === undefined) throw new ImpersonationNotFound()
  return found
}

/**
 * Ends one of them; its tokens and sockets stop working at once. Nothing happens to one that has ended.
 *
 * @throws Forbidden, ImpersonationNotFound
 */
export async function stop(
  ctx: SessionContext,
  actor: Actor,
  id: string,
  reason: string,
): Promise<Impersonation> {
  const { user_id } = await get(ctx, actor, id)
  await transaction(because(ctx, reason), async (tx) => {
    const told = emitting(tx, sessionsEnded, { subject: user_id, data: { session_id: id } })
    await endSessions(told, user_id, { id })
  })
  ctx.identities.forgetSession(id)
  return get(ctx, actor, id)
}

/**
 * Returns the session of a request, and who acts in it.
 *
 * @throws Unauthenticated when it has just ended
 */
export async function current(ctx: Pick<Context, 'db'>, sessionId: string): Promise<CurrentSession> {
  const session = await queries.selectCurrentSession(ctx.db, sessionId)
  if (session === undefined) throw new Unauthenticated()
  return session
}
