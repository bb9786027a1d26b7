import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { ENTRY_COLUMNS, type EntryRow, foundEntry, type PendingEntry } from './entry-row.ts'

/*
 * Entries wait in `audit_intake` with their personal data, and are known by being there. They are filed when they are
 * sealed: many rows at once, so that the indexes of searches cost the change that an entry tells of nothing.
 */

/** Columns of an entry, in both tables. */
const COLUMNS = `org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details,
  personal_commitment, mac`

/**
 * Files entries, oldest first, and returns them. Those marked by a key that is not among `keyIds` are left for a process
 * that has it, and those that are being erased for the next time.
 */
export async function fileEntries(
  db: SystemDatabase,
  limit: number,
  keyIds: readonly Buffer[],
): Promise<PendingEntry[]> {
  const rows = await db.query<EntryRow & { readonly is_filed: boolean }>({
    name: 'fileAuditEntries',
    // Not by a join: PostgreSQL expects few rows, and would compare each with each.
    text: `WITH taken AS (
             DELETE FROM audit_intake WHERE ctid = ANY (ARRAY (
               SELECT ctid FROM audit_intake
               WHERE length(mac) < 8 OR substring(mac FOR 8) = ANY ($2::bytea[])
               ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING *),
           filed AS (
             INSERT INTO audit_entries (${COLUMNS}) SELECT ${COLUMNS} FROM taken ORDER BY org_id, id
             ON CONFLICT DO NOTHING RETURNING org_id, id),
           personal AS (
             INSERT INTO audit_personal (org_id, entry_id, user_id, salt, ip, user_agent)
             SELECT org_id, id, user_id, salt, ip, user_agent FROM taken WHERE salt IS NOT NULL
             ON CONFLICT DO NOTHING)
           SELECT e.org_id AS org, e.id, ${ENTRY_COLUMNS}, (e.org_id, e.id) IN (SELECT org_id, id FROM filed) AS is_filed
           FROM taken e ORDER BY e.id`,
    values: [limit, keyIds],
  })
  // What has the id of another entry is not the service's, or that one is not.
  return rows.map((row) => foundEntry(row.is_filed ? row : { ...row, mac: null }))
}

/** Erases the personal data of a user in entries that are not filed. */
export async function eraseWaiting(db: SystemDatabase, userId: string): Promise<void> {
  await db.query({
    name: 'eraseWaitingAuditData',
    text: `UPDATE audit_intake SET user_id = NULL, salt = NULL, ip = NULL, user_agent = NULL WHERE user_id = $1`,
    values: [userId],
  })
}
