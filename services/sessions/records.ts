import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { deriveToken, digestToken } from '#lib/secrets/secrets.ts'
import type { Authentication } from '#schemas/sessions.ts'
import type { User } from '#schemas/users.ts'
import { type EmittingContext, emit, emitting } from '#services/events/emit.ts'
import { InvalidRefreshToken } from './errors.ts'
import { sessionCreated, sessionImpersonated, sessionReauthenticated, sessionsEnded } from './events.ts'
import * as queries from './queries.ts'
import * as impersonations from './queries-of-impersonations.ts'
import type { SessionContext } from './sessions.ts'

// What other services and authentication do with sessions. Nothing here asks who the actor is, so routes never import
// it.

/** The methods of a proof by password, by their names of RFC 8176. */
const PASSWORD: readonly string[] = ['pwd']

/** The tokens that a session's client gets. */
export interface SessionTokens {
  sessionId: string
  refreshToken: string
}

/** The terms of a session in which an admin acts in the user's place. */
export interface ImpersonationTerms {
  readonly impersonator: string
  readonly reason: string
  readonly lifetimeMs: number
}

/** A session that was opened, and those that were ended because they were too many. */
export interface OpenedSession extends SessionTokens {
  readonly ended: readonly string[]
}

/**
 * Opens a session for a user who has just proved to be one. Beyond the number that a user may have, those end that were
 * used least lately; the caller forgets them after the commit.
 */
export async function open(ctx: SessionContext, user: Pick<User, 'id'>): Promise<OpenedSession> {
  const { idleTimeout: idle_timeout, absoluteTimeout: absolute_timeout, maxPerUser } = ctx.sessions
  const { session, tokens } = makeSession(ctx, user, { methods: PASSWORD, idle_timeout, absolute_timeout })
  const actor = { kind: 'user', id: user.id } as const
  const ended = await transaction(ctx, async (tx) => {
    const [, surplus] = await Promise.all([
      queries.insertSession(tx.db, session, digestToken(tokens.refreshToken)),
      queries.endSurplusSessions(tx.db, session, maxPerUser),
      emit(tx, sessionCreated, { subject: session.id, actor, data: { user_id: user.id } }),
    ])
    const [first, ...others] = surplus
    if (first !== undefined) {
      const which = others.length === 0 ? { session_id: first } : {}
      await emit(tx, sessionsEnded, {
        subject: user.id,
        actor,
        data: { ...which, cause: 'too_many_sessions' },
      })
    }
    return surplus
  })
  return { ...tokens, ended }
}

/** Opens a session in which an admin acts in the place of a user. */
export async function impersonate(
  ctx: SessionContext,
  user: Pick<User, 'id'>,
  { impersonator, reason, lifetimeMs }: ImpersonationTerms,
): Promise<SessionTokens> {
  const { session, tokens } = makeSession(ctx, user, {
    methods: [],
    idle_timeout: lifetimeMs,
    absolute_timeout: lifetimeMs,
    impersonator_id: impersonator,
    impersonation_reason: reason,
  })
  await queries.insertSession(ctx.db, session, digestToken(tokens.refreshToken))
  await emit(ctx, sessionImpersonated, { subject: session.id, data: { user_id: user.id } })
  return tokens
}

/** A session's row, from where the request comes, and the tokens that its client gets. */
function makeSession<Terms extends object>({ client }: SessionContext, user: Pick<User, 'id'>, terms: Terms) {
  const id = uuidv7()
  return {
    session: { id, user_id: user.id, user_agent: client.userAgent, ip: client.ip, ...terms },
    tokens: { sessionId: id, refreshToken: randomBytes(32).toString('base64url') },
  }
}

/**
 * Records that the user of a session has just given the password. The caller forgets the session after the commit.
 *
 * @returns undefined when the session has ended
 */
export function authenticateAgain(
  ctx: EmittingContext,
  id: string,
  userId: string,
): Promise<Authentication | undefined> {
  const told = emitting(ctx, sessionReauthenticated, { subject: id, data: { user_id: userId } })
  return queries.updateAuthentication(told, id, PASSWORD)
}

/**
 * Ends a user's open sessions but the kept one, and those in which the user acts in the place of others, as part of what
 * the transaction does to the account. The caller forgets them after the commit.
 *
 * @returns their ids
 */
export async function endAll(
  { db }: Pick<Context, 'db'>,
  userId: string,
  except?: string,
): Promise<string[]> {
  const ended = await Promise.all([
    queries.endSessions(db, userId, except === undefined ? {} : { except }),
    impersonations.endImpersonationsBy(db, userId),
  ])
  return ended.flat()
}

/**
 * Ends the sessions in which an admin acts in the place of others, who was one and is not any more. The caller forgets
 * them after the commit.
 *
 * @returns their ids
 */
export function endImpersonationsBy(ctx: Pick<Context, 'db'>, adminId: string): Promise<string[]> {
  return impersonations.endImpersonationsBy(ctx.db, adminId)
}

/**
 * Ends the sessions in which admins act in the place of a user, who is an admin now. The caller forgets them after the
 * commit.
 *
 * @returns their ids
 */
export function endImpersonationsOf(ctx: Pick<Context, 'db'>, userId: string): Promise<string[]> {
  return impersonations.endImpersonationsOf(ctx.db, userId)
}

/** Whether a sign-in comes from a device that the user, who has signed in before, has not used yet. */
export async function isNewDevice(ctx: Context, user: Pick<User, 'id'>): Promise<boolean> {
  const { has_sessions, is_known } = await queries.selectDevice(ctx.db, user.id, ctx.client.userAgent)
  return has_sessions && !is_known
}

/**
 * Exchanges a refresh token for its successor. A token that was used within the grace period returns the same
 * successor again (the reply was lost, or two tabs asked at once); one that was used before that is stolen,
 * so its session ends (RFC 9700 section 4.14.2).
 *
 * @throws InvalidRefreshToken
 */
export async function refresh(ctx: SessionContext, token: string): Promise<SessionTokens & { user: User }> {
  const result = await transaction(ctx, (tx) => rotate(tx, token))
  if (result.stolen) {
    const { sessionId, userId } = result.stolen
    ctx.identities.forgetSession(sessionId)
    ctx.log.warn({ sid: sessionId, user_id: userId }, 'a refresh token was used again; its session is ended')
  }
  if (!result.tokens) throw new InvalidRefreshToken()
  return result.tokens
}

interface Rotation {
  tokens?: SessionTokens & { user: User }
  stolen?: { sessionId: string; userId: string }
}

async function rotate(ctx: SessionContext, token: string): Promise<Rotation> {
  const { idleTimeout, refreshGrace, key } = ctx.sessions
  const digest = digestToken(token)
  const locked = await queries.lockSessionByToken(ctx.db, digest)
  // Read after the lock, so that what others did before us is seen.
  const state = locked ? await queries.selectRefreshState(ctx.db, digest, refreshGrace) : undefined
  if (!state?.is_open) return {}
  const { session_id: sessionId, user_id: userId } = state
  if (state.is_late) {
    const told = emitting(ctx, sessionsEnded, {
      subject: userId,
      data: { session_id: sessionId, cause: 'refresh_token_reused' },
    })
    await queries.endSessions(told, userId, { id: sessionId })
    return { stolen: { sessionId, userId } }
  }
  const owner = await findOwner(ctx, sessionId)
  if (!owner) return {}
  const refreshToken = deriveToken(key, token)
  if (!state.is_replaced) {
    await queries.replaceRefreshToken(ctx.db, digest)
    await queries.insertRefreshToken(ctx.db, sessionId, digestToken(refreshToken))
    await queries.updateLastUse(ctx.db, sessionId, idleTimeout)
  }
  return { tokens: { sessionId, refreshToken, user: owner.user } }
}

/** Who an open session belongs to, as the database said. Times are RFC 3339. */
export interface SessionOwner extends Authentication {
  user: User
  /** When the session ends. */
  expires_at: string
  /** When the database was asked, by its own clock. */
  read_at: string
  /** The admin who acts in the user's place; null for the user. */
  impersonator_id: string | null
}

/** Returns the active user of an open session. */
export async function findOwner(
  ctx: Pick<Context, 'db'>,
  sessionId: string,
): Promise<SessionOwner | undefined> {
  const row = await queries.selectSessionOwner(ctx.db, sessionId)
  return row && ownerOf(row)
}

/** The same for many sessions, by their ids; those that are not open are left out. */
export async function findOwners(
  ctx: Pick<Context, 'db'>,
  sessionIds: readonly string[],
): Promise<Map<string, SessionOwner>> {
  const rows = await queries.selectSessionOwners(ctx.db, sessionIds)
  return new Map(rows.map(({ session_id, ...row }) => [session_id, ownerOf(row)]))
}

function ownerOf(row: queries.SessionOwner): SessionOwner {
  const { session_expires_at: expires_at, read_at, authenticated_at, methods, impersonator_id, ...user } = row
  return { user, authenticated_at, methods, expires_at, read_at, impersonator_id }
}
