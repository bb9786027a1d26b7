import type { TestDatabase } from './database.ts'

/** An entry of the audit log, as far as tests look at it. */
export interface ToldEntry {
  readonly action: string
  readonly actor_id: string | null
  readonly target_id: string | null
  readonly details: object
  readonly ip: string | null
}

const COLUMNS = 'org_id, id, actor_kind, actor_id, action, target_id, outcome, details'

/** Entries and their addresses, filed or not; for FROM. */
export const ALL_ENTRIES = `(
  SELECT ${COLUMNS}, (SELECT ip FROM audit_personal WHERE org_id = e.org_id AND entry_id = e.id) AS ip
  FROM audit_entries e
  UNION ALL
  SELECT ${COLUMNS}, ip FROM audit_intake)`

/** Returns the entries whose action matches a LIKE pattern, oldest first; of one target, or of all without one. */
export function entriesOf(
  db: Pick<TestDatabase, 'query'>,
  actions: string,
  target?: string,
): Promise<ToldEntry[]> {
  return db.query<ToldEntry>(
    `SELECT action, actor_id, target_id, details, ip FROM ${ALL_ENTRIES} e
     WHERE action LIKE $1 AND ($2::text IS NULL OR target_id = $2) ORDER BY id`,
    [actions, target],
  )
}
