import type { Database } from '#lib/database/database.ts'
import type { CurrentSession, Impersonation } from '#schemas/impersonations.ts'

const OPEN = 's.ended_at IS NULL AND now() < least(s.idle_expires_at, s.expires_at)'

const COLUMNS =
  's.id, s.user_id, s.impersonator_id, s.impersonation_reason AS reason, s.created_at, s.expires_at, s.ended_at'

/** Newest first. */
export function selectImpersonations(
  db: Database,
  { before, limit }: { before: string | null; limit: number },
): Promise<Impersonation[]> {
  return db.query<Impersonation>({
    name: 'selectImpersonations',
    text: `SELECT ${COLUMNS} FROM sessions s
           WHERE s.impersonator_id IS NOT NULL AND ($1::uuid IS NULL OR s.id < $1) ORDER BY s.id DESC LIMIT $2`,
    values: [before, limit],
  })
}

export async function selectImpersonation(db: Database, id: string): Promise<Impersonation | undefined> {
  const rows = await db.query<Impersonation>({
    name: 'selectImpersonation',
    text: `SELECT ${COLUMNS} FROM sessions s WHERE s.id = $1 AND s.impersonator_id IS NOT NULL`,
    values: [id],
  })
  return rows[0]
}

/** Ends what an admin does in the place of others; returns the sessions. */
export async function endImpersonationsBy(db: Database, adminId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'endImpersonationsBy',
    text: `UPDATE sessions s SET ended_at = now() WHERE s.impersonator_id = $1 AND ${OPEN} RETURNING s.id`,
    values: [adminId],
  })
  return rows.map(({ id }) => id)
}

/** Ends what admins do in the place of a user; returns the sessions. */
export async function endImpersonationsOf(db: Database, userId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'endImpersonationsOf',
    text: `UPDATE sessions s SET ended_at = now()
           WHERE s.user_id = $1 AND s.impersonator_id IS NOT NULL AND ${OPEN} RETURNING s.id`,
    values: [userId],
  })
  return rows.map(({ id }) => id)
}

/**
 * Returns an open session, and who acts in it in the place of its user.
 *
 * @reads users
 */
export async function selectCurrentSession(db: Database, id: string): Promise<CurrentSession | undefined> {
  const rows = await db.query<CurrentSession>({
    name: 'selectCurrentSession',
    text: `SELECT s.id, true AS is_current, s.user_agent, host(s.ip) AS ip, s.created_at, s.last_used_at,
                  coalesce(s.authenticated_at, s.created_at) AS authenticated_at, s.methods,
                  least(s.idle_expires_at, s.expires_at) AS expires_at,
                  CASE WHEN i.id IS NOT NULL
                    THEN json_build_object('id', i.id, 'username', i.username, 'reason', s.impersonation_reason) END
                    AS impersonator
           FROM sessions s LEFT JOIN users i ON i.id = s.impersonator_id
           WHERE s.id = $1 AND ${OPEN}`,
    values: [id],
  })
  return rows[0]
}
