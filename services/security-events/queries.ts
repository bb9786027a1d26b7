import type { Database } from '#lib/database/database.ts'

/** An event of an account, as versions before the audit log wrote it. */
export interface EarlierEvent {
  /** UUIDv7, whose time is the event's. */
  readonly id: string
  readonly kind: string
  /** Who did it, or whose account it is about. */
  readonly user_id: string | null
  readonly session_id: string | null
  readonly api_key_id: string | null
  readonly ip: string | null
  readonly user_agent: string | null
}

/** Takes events out of their table; those that another transaction takes are left to it. */
export function deleteSecurityEvents(db: Database, limit: number): Promise<EarlierEvent[]> {
  return db.query({
    name: 'deleteSecurityEvents',
    text: `DELETE FROM security_events WHERE id IN (
             SELECT id FROM security_events ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING id, kind, user_id, session_id, api_key_id, host(ip) AS ip, user_agent`,
    values: [limit],
  })
}
