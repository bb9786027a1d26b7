import { type KeyObject, randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import { deriveToken, digestToken } from '#lib/secrets/secrets.ts'
import type { ListSessionsQuery, SessionPage } from '#schemas/sessions.ts'
import type { User } from '#schemas/users.ts'
import { recordEvent } from '#services/security-events/security-events.ts'
import * as users from '#services/users/users.ts'
import { FRESH_SIGN_IN_SECONDS, FreshSignInRequired, InvalidRefreshToken, SessionNotFound } from './errors.ts'
import * as queries from './queries.ts'

/** How long sessions live; milliseconds. */
export interface SessionSettings {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  /** For how long a refresh token that was used already still gives its successor. */
  readonly refreshGrace: number
  /** Key from which successors are derived. */
  readonly key: KeyObject
}

export interface SessionContext extends Context {
  readonly sessions: SessionSettings
  /** Makes this instance forget at once who may pass; the others hear of it through the database. */
  readonly identities: { forgetSession(id: string): void; forgetUser(id: string): void }
}

/** What a session gives its client. */
export interface SessionTokens {
  session_id: string
  refresh_token: string
}

const LIST = 'sessions'

/** Opens a session for a user who has just proved to be one. */
export async function open(ctx: SessionContext, user: Pick<User, 'id'>): Promise<SessionTokens> {
  const { idleTimeout, absoluteTimeout } = ctx.sessions
  const { ip, userAgent } = ctx.client
  const id = uuidv7()
  const refresh_token = randomBytes(32).toString('base64url')
  const session = {
    id,
    user_id: user.id,
    user_agent: userAgent,
    ip,
    idle_timeout: idleTimeout,
    absolute_timeout: absoluteTimeout,
  }
  await queries.insertSession(ctx.db, session, digestToken(refresh_token))
  return { session_id: id, refresh_token }
}

/**
 * Refuses a session whose user typed the password too long ago, for what a stolen token must not do. It works for every
 * way to sign in, and guesses are counted where they always are: at login (decision 028).
 *
 * @throws FreshSignInRequired
 */
export async function assertFresh(ctx: Pick<Context, 'db'>, id: string): Promise<void> {
  if (!(await queries.selectIsFresh(ctx.db, id, FRESH_SIGN_IN_SECONDS))) throw new FreshSignInRequired()
}

/** Whether a sign-in comes from a device that the user, who has signed in before, has not used yet. */
export async function isNewDevice(ctx: Context, user: Pick<User, 'id'>): Promise<boolean> {
  const { has_sessions, is_known } = await queries.selectDevice(ctx.db, user.id, ctx.client.userAgent)
  return has_sessions && !is_known
}

/**
 * Exchanges a refresh token for its successor. A token that was used within the grace period gives the same
 * successor again (the reply was lost, or two tabs asked at once); one that was used before that is stolen,
 * so its session ends (RFC 9700 section 4.14.2).
 *
 * @throws InvalidRefreshToken
 */
export async function refresh(ctx: SessionContext, token: string): Promise<SessionTokens & { user: User }> {
  const result = await transaction(ctx, (tx) => rotate(tx, token))
  if (result.stolen) {
    ctx.identities.forgetSession(result.stolen.session_id)
    const { session_id: sid, user_id } = result.stolen
    ctx.log.warn({ sid, user_id }, 'a refresh token was used again; its session is ended')
  }
  if (!result.tokens) throw new InvalidRefreshToken()
  return result.tokens
}

interface Rotation {
  tokens?: SessionTokens & { user: User }
  stolen?: { session_id: string; user_id: string }
}

async function rotate(ctx: SessionContext, token: string): Promise<Rotation> {
  const { idleTimeout, refreshGrace, key } = ctx.sessions
  const digest = digestToken(token)
  const sessionId = await queries.lockSessionByToken(ctx.db, digest)
  // Read after the lock, so that what others did before us is seen.
  const state = sessionId ? await queries.selectRefreshState(ctx.db, digest, refreshGrace) : undefined
  if (!state?.is_open) return {}
  const { session_id, user_id } = state
  if (state.is_late) {
    await queries.endSessions(ctx.db, user_id, { id: session_id })
    await recordEvent(ctx, { kind: 'refresh_token_reused', user_id, session_id })
    return { stolen: { session_id, user_id } }
  }
  const owner = await findOwner(ctx, session_id)
  if (!owner) return {}
  const refresh_token = deriveToken(key, token)
  if (!state.is_replaced) {
    await queries.replaceRefreshToken(ctx.db, digest)
    await queries.insertRefreshToken(ctx.db, session_id, digestToken(refresh_token))
    await queries.updateLastUse(ctx.db, session_id, idleTimeout)
  }
  return { tokens: { session_id, refresh_token, user: owner.user } }
}

/**
 * Gives a page of a user's open sessions, newest first.
 *
 * @throws Forbidden, UserNotFound, InvalidCursor
 */
export async function list(
  ctx: Context & { cursors: Cursors },
  actor: users.Actor & { session_id: string },
  userId: string,
  { limit, cursor }: ListSessionsQuery,
): Promise<SessionPage> {
  await assertMayManage(ctx, actor, userId)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const page = { current: actor.session_id, before, limit: limit + 1 }
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
  const ended = await endAndRecord(ctx, actor, userId, { id })
  if (ended.length === 0) throw new SessionNotFound()
  ctx.identities.forgetSession(id)
}

/**
 * Ends all sessions of a user, but the one to keep. Inside a transaction the caller forgets them after it:
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
  const ended = await endAndRecord(ctx, actor, userId, except === undefined ? {} : { except })
  for (const id of ended) ctx.identities.forgetSession(id)
  return ended
}

function endAndRecord(
  ctx: SessionContext,
  actor: users.Actor,
  userId: string,
  which: { id?: string; except?: string },
): Promise<string[]> {
  return transaction(ctx, async (tx) => {
    const ended = await queries.endSessions(tx.db, userId, which)
    const byAdmin = actor.id !== userId && ended.length > 0
    if (byAdmin) await recordEvent(tx, { kind: 'sessions_ended_by_admin', user_id: userId })
    return ended
  })
}

/** Gives the active user of an open session, when that expires, and when the database was asked; or undefined. */
export async function findOwner(
  ctx: Pick<Context, 'db'>,
  sessionId: string,
): Promise<{ user: User; expiresAt: string; readAt: string } | undefined> {
  const row = await queries.selectSessionOwner(ctx.db, sessionId)
  if (row === undefined) return undefined
  const { session_expires_at: expiresAt, read_at: readAt, ...user } = row
  return { user, expiresAt, readAt }
}

/** Who may manage whose sessions: one's own, and an admin everybody's. Costs a query for those of others. */
async function assertMayManage(ctx: Context, actor: users.Actor, userId: string): Promise<void> {
  if (actor.id !== userId) await users.get(ctx, actor, userId)
}
