import type { KeyObject } from 'node:crypto'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type { ListSessionsQuery, SessionPage } from '#schemas/sessions.ts'
import { emitting } from '#services/events/emit.ts'
import * as users from '#services/users/users.ts'
import { SessionNotFound } from './errors.ts'
import { sessionsEnded } from './events.ts'
import * as queries from './queries.ts'
import { endImpersonationsBy } from './queries-of-impersonations.ts'

/** How long sessions live, in milliseconds, and how many there may be. */
export interface SessionSettings {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  /** For how long a used refresh token still returns its successor. */
  readonly refreshGrace: number
  /** Most open sessions of one user. */
  readonly maxPerUser: number
  /** Key from which successors are derived. */
  readonly key: KeyObject
}

export interface SessionContext extends Context {
  readonly sessions: SessionSettings
  /** Makes this instance forget an identity at once; the others hear of it through the database. */
  readonly identities: { forgetSession(id: string): void; forgetUser(id: string): void }
}

const LIST = 'sessions'

/**
 * Returns a page of a user's open sessions, newest first.
 *
 * @throws Forbidden, UserNotFound, InvalidCursor
 */
export async function list(
  ctx: Context & { cursors: Cursors },
  actor: users.Actor & { sessionId: string },
  userId: string,
  { limit, cursor }: ListSessionsQuery,
): Promise<SessionPage> {
  await assertMayManage(ctx, actor, userId)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const page = { current: actor.sessionId, before, limit: limit + 1 }
  const sessions = await queries.selectOpenSessions(ctx.db, userId, page)
  return ctx.cursors.page(LIST, sessions, limit)
}

/**
 * Ends one session of a user.
 *
 * @throws Forbidden, UserNotFound, SessionNotFound
 */
export async function end(
  ctx: SessionContext,
  actor: users.Actor,
  userId: string,
  id: string,
): Promise<void> {
  await assertMayManage(ctx, actor, userId)
  const ended = await endAndTell(ctx, userId, { id })
  if (ended.length === 0) throw new SessionNotFound()
  ctx.identities.forgetSession(id)
}

/**
 * Ends all sessions of a user, but the one to keep, and those in which the user acts in the place of others. Inside a transaction the caller forgets them after it:
 * what is forgotten before the commit could be read again.
 *
 * @throws Forbidden, UserNotFound
 */
export async function endAll(
  ctx: SessionContext,
  actor: users.Actor,
  userId: string,
  except?: string,
): Promise<string[]> {
  await assertMayManage(ctx, actor, userId)
  const ended = await endAndTell(ctx, userId, except === undefined ? {} : { except })
  for (const id of ended) ctx.identities.forgetSession(id)
  return ended
}

function endAndTell(
  ctx: SessionContext,
  userId: string,
  which: { id?: string; except?: string },
): Promise<string[]> {
  return transaction(ctx, async (tx) => {
    const data = which.id === undefined ? {} : { session_id: which.id }
    const told = emitting(tx, sessionsEnded, { subject: userId, data })
    const ended = await queries.endSessions(told, userId, which)
    if (which.id !== undefined) return ended
    return [...ended, ...(await endImpersonationsBy(tx.db, userId))]
  })
}

/** Who may manage whose sessions: one's own, and an admin everybody's. Costs a query for those of others. */
async function assertMayManage(ctx: Context, actor: users.Actor, userId: string): Promise<void> {
  if (actor.id !== userId) await users.get(ctx, actor, userId)
}
