import type { TestDatabase } from './database.ts'

/** An entry of the audit log, as far as tests look at it. */
export interface ToldEntry {
  readonly action: string
  readonly actor_id: string | null
  readonly target_id: string | null
  readonly details: object
  readonly ip: string | null
}

/** Returns the entries whose action matches a LIKE pattern, oldest first; of one target, or of all without one. */
export function entriesOf(
  db: Pick<TestDatabase, 'query'>,
  actions: string,
  target?: string,
): Promise<ToldEntry[]> {
  return db.query<ToldEntry>(
    `SELECT e.action, e.actor_id, e.target_id, e.details, p.ip
     FROM audit_entries e LEFT JOIN audit_personal p ON p.org_id = e.org_id AND p.entry_id = e.id
     WHERE e.action LIKE $1 AND ($2::text IS NULL OR e.target_id = $2) ORDER BY e.id`,
    [actions, target],
  )
}
