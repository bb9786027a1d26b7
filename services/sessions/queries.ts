import type { Database } from '#lib/database/database.ts'
import { onlyRow } from '#lib/database/only-row.ts'
import type { Authentication, Session } from '#schemas/sessions.ts'
import type { User } from '#schemas/users.ts'

export interface NewSession {
  id: string
  user_id: string
  user_agent: string | null
  ip: string
  methods: readonly string[]
  /** Milliseconds. */
  idle_timeout: number
  /** Milliseconds. */
  absolute_timeout: number
  /** The admin who acts in the user's place, and why; null for the user. */
  impersonator_id?: string
  impersonation_reason?: string
}

/** Sessions that are older than the column have no time of their own. */
const AUTHENTICATED_AT = 'coalesce(s.authenticated_at, s.created_at) AS authenticated_at'

const OWNER = `u.id, u.email, u.username, u.role, u.is_active, u.created_at, u.updated_at,
                  ${AUTHENTICATED_AT}, s.methods,
                  least(s.idle_expires_at, s.expires_at) AS session_expires_at, statement_timestamp() AS read_at,
                  s.impersonator_id`

const OPEN = 's.ended_at IS NULL AND now() < least(s.idle_expires_at, s.expires_at)'

/** Nobody acts in the place of an admin, nor of a user who has become one. */
const HAS_OWNER = "u.is_active AND (s.impersonator_id IS NULL OR u.role <> 'admin')"

/** Inserts a session and, by its digest, its first refresh token. */
export async function insertSession(db: Database, session: NewSession, digest: Buffer): Promise<void> {
  await db.query({
    name: 'insertSession',
    text: `WITH session AS (
             INSERT INTO sessions (id, user_id, user_agent, ip, methods, idle_expires_at, expires_at, impersonator_id,
                                   impersonation_reason)
             VALUES ($1, $2, $3, $4, $8, now() + $5 * interval '1 millisecond', now() + $6 * interval '1 millisecond',
                     $9, $10)
             RETURNING id)
           INSERT INTO refresh_tokens (digest, session_id) SELECT $7, id FROM session`,
    values: [
      session.id,
      session.user_id,
      session.user_agent,
      session.ip,
      session.idle_timeout,
      session.absolute_timeout,
      digest,
      session.methods,
      session.impersonator_id,
      session.impersonation_reason,
    ],
  })
}

/**
 * Records that the user of an open session has just proved who they are; returns when, or undefined when the session
 * has ended.
 */
export async function updateAuthentication(
  db: Database,
  id: string,
  methods: readonly string[],
): Promise<Authentication | undefined> {
  const rows = await db.query<Authentication>({
    name: 'updateAuthentication',
    text: `UPDATE sessions s SET authenticated_at = now(), methods = $2
           WHERE s.id = $1 AND ${OPEN}
           RETURNING s.authenticated_at, s.methods`,
    values: [id, methods],
  })
  return rows[0]
}

export async function insertRefreshToken(db: Database, sessionId: string, digest: Buffer): Promise<void> {
  await db.query({
    name: 'insertRefreshToken',
    text: 'INSERT INTO refresh_tokens (digest, session_id) VALUES ($1, $2)',
    values: [digest, sessionId],
  })
}

/** Locks the session of a refresh token until the transaction ends; returns its id. */
export async function lockSessionByToken(db: Database, digest: Buffer): Promise<string | undefined> {
  const rows = await db.query<{ id: string }>({
    name: 'lockSessionByToken',
    text: `SELECT s.id FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id
           WHERE t.digest = $1 FOR UPDATE OF s`,
    values: [digest],
  })
  return rows[0]?.id
}

export interface RefreshState {
  session_id: string
  user_id: string
  is_open: boolean
  /** Whether the token was used before, */
  is_replaced: boolean
  /** and longer ago than a lost reply explains. */
  is_late: boolean
}

/** @param grace milliseconds for which a used token is forgiven */
export async function selectRefreshState(
  db: Database,
  digest: Buffer,
  grace: number,
): Promise<RefreshState | undefined> {
  const rows = await db.query<RefreshState>({
    name: 'selectRefreshState',
    text: `SELECT s.id AS session_id, s.user_id, (${OPEN}) AS is_open, t.replaced_at IS NOT NULL AS is_replaced,
                  coalesce(t.replaced_at < clock_timestamp() - $2 * interval '1 millisecond', false) AS is_late
           FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
           WHERE t.digest = $1`,
    values: [digest, grace],
  })
  return rows[0]
}

export async function replaceRefreshToken(db: Database, digest: Buffer): Promise<void> {
  await db.query({
    name: 'replaceRefreshToken',
    text: 'UPDATE refresh_tokens SET replaced_at = clock_timestamp() WHERE digest = $1',
    values: [digest],
  })
}

export async function updateLastUse(db: Database, sessionId: string, idleTimeout: number): Promise<void> {
  await db.query({
    name: 'updateLastUse',
    text: `UPDATE sessions SET last_used_at = now(), idle_expires_at = now() + $2 * interval '1 millisecond'
           WHERE id = $1`,
    values: [sessionId, idleTimeout],
  })
}

/** Ends a user's sessions: the one with `id` if given, except `except`. Returns the ids of those that were open. */
export async function endSessions(
  db: Database,
  userId: string,
  { id = null, except = null }: { id?: string | null; except?: string | null } = {},
): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'endSessions',
    text: `UPDATE sessions s SET ended_at = now()
           WHERE s.user_id = $1 AND ${OPEN}
             AND ($2::uuid IS NULL OR s.id = $2) AND ($3::uuid IS NULL OR s.id <> $3)
           RETURNING s.id`,
    values: [userId, id, except],
  })
  return rows.map((row) => row.id)
}

/** Ends the open sessions of a user but the new one and those that were used last, `max` in all; returns their ids. */
export async function endSurplusSessions(
  db: Database,
  { id, user_id }: Pick<NewSession, 'id' | 'user_id'>,
  max: number,
): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'endSurplusSessions',
    text: `UPDATE sessions SET ended_at = now()
           WHERE id IN (SELECT s.id FROM sessions s
                        WHERE s.user_id = $1 AND s.id <> $2 AND ${OPEN} AND s.impersonator_id IS NULL
                        ORDER BY s.last_used_at DESC, s.id DESC OFFSET $3)
           RETURNING id`,
    values: [user_id, id, max - 1],
  })
  return rows.map((row) => row.id)
}

/** Newest first. */
export function selectOpenSessions(
  db: Database,
  userId: string,
  { current, before, limit }: { current: string; before: string | null; limit: number },
): Promise<Session[]> {
  return db.query<Session>({
    name: 'selectOpenSessions',
    text: `SELECT s.id, s.id = $2 AS is_current, s.user_agent, host(s.ip) AS ip, s.created_at, s.last_used_at,
                  ${AUTHENTICATED_AT}, s.methods,
                  least(s.idle_expires_at, s.expires_at) AS expires_at
           FROM sessions s
           WHERE s.user_id = $1 AND ${OPEN} AND ($3::uuid IS NULL OR s.id < $3)
           ORDER BY s.id DESC LIMIT $4`,
    values: [userId, current, before, limit],
  })
}

/** Whether the user signed in before, and with this user agent. */
export async function selectDevice(
  db: Database,
  userId: string,
  userAgent: string | null,
): Promise<{ has_sessions: boolean; is_known: boolean }> {
  const rows = await db.query<{ has_sessions: boolean; is_known: boolean }>({
    name: 'selectDevice',
    text: `SELECT count(*) > 0 AS has_sessions,
                  coalesce(bool_or(user_agent IS NOT DISTINCT FROM $2), false) AS is_known
           FROM sessions WHERE user_id = $1 AND impersonator_id IS NULL`,
    values: [userId, userAgent],
  })
  return onlyRow(rows)
}

export interface SessionOwner extends User, Authentication {
  session_expires_at: string
  /** The database's clock, before it looked. */
  read_at: string
  /** The admin who acts in the user's place; null for the user. */
  impersonator_id: string | null
}

/**
 * Returns the active user of an open session. One statement, because authentication asks it.
 *
 * @reads users
 */
export async function selectSessionOwner(db: Database, sessionId: string): Promise<SessionOwner | undefined> {
  const rows = await db.query<SessionOwner>({
    name: 'selectSessionOwner',
    text: `SELECT ${OWNER}
           FROM sessions s JOIN users u ON u.id = s.user_id
           WHERE s.id = $1 AND ${OPEN} AND ${HAS_OWNER}`,
    values: [sessionId],
    pipelined: true,
  })
  return rows[0]
}

/**
 * The same for many sessions.
 *
 * @reads users
 */
export function selectSessionOwners(
  db: Database,
  sessionIds: readonly string[],
): Promise<(SessionOwner & { session_id: string })[]> {
  return db.query({
    name: 'selectSessionOwners',
    text: `SELECT s.id AS session_id, ${OWNER}
           FROM sessions s JOIN users u ON u.id = s.user_id
           WHERE s.id = ANY ($1) AND ${OPEN} AND ${HAS_OWNER}`,
    values: [sessionIds],
  })
}
