import { onlyRow } from '#lib/database/only-row.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Head, Seal } from './chain.ts'
import { ENTRY_COLUMNS, type EntryRow, foundEntry, type PendingEntry } from './entry-row.ts'

/** "audit" in ASCII; the lock that the sealer holds while it seals. */
const SEALING_LOCK = 0x6175646974

/** Waits until nobody seals; nobody does until the transaction ends. */
export async function holdSealing(db: SystemDatabase): Promise<void> {
  await db.query({
    name: 'holdAuditSealing',
    text: 'SELECT pg_advisory_xact_lock($1)',
    values: [SEALING_LOCK],
  })
}

/**
 * Returns false when somebody else seals now. The lock ends with the transaction, which may take entries from the intake: a
 * trigger keeps them from all others.
 */
export async function lockSealing(db: SystemDatabase): Promise<boolean> {
  const rows = await db.query<{ locked: boolean }>({
    name: 'lockAuditSealing',
    text: "SELECT pg_try_advisory_xact_lock($1) AS locked, set_config('app.audit_filing', 'on', true)",
    values: [SEALING_LOCK],
  })
  return onlyRow(rows).locked
}

/** Whether an entry waits to be sealed, filed or not. */
export async function someWait(db: SystemDatabase): Promise<boolean> {
  const rows = await db.query<{ waiting: boolean }>({
    name: 'someAuditEntriesWait',
    // By the index: a table that is emptied all the time has many dead rows.
    text: `SELECT (SELECT id FROM audit_intake ORDER BY id LIMIT 1) IS NOT NULL
             OR EXISTS (SELECT FROM audit_pending WHERE refused_at IS NULL) AS waiting`,
  })
  return onlyRow(rows).waiting
}

/**
 * Filed entries that wait, oldest first. Those marked by a key that is not among `keyIds` are left for a process that has it.
 */
export async function selectPending(
  db: SystemDatabase,
  limit: number,
  keyIds: readonly Buffer[],
): Promise<PendingEntry[]> {
  const rows = await db.query<EntryRow>({
    name: 'selectPendingAudit',
    text: `SELECT p.org_id AS org, p.entry_id AS id, ${ENTRY_COLUMNS}
           FROM audit_pending p LEFT JOIN audit_entries e ON e.org_id = p.org_id AND e.id = p.entry_id
           WHERE p.refused_at IS NULL
             AND (e.mac IS NULL OR length(e.mac) < 8 OR substring(e.mac FOR 8) = ANY ($2::bytea[]))
           ORDER BY p.entry_id LIMIT $1`,
    values: [limit, keyIds],
  })
  return rows.map(foundEntry)
}

/** The last seals of these chains; none for a chain that does not exist. */
export function selectHeads(db: SystemDatabase, orgs: readonly string[]): Promise<Head[]> {
  return db.query<Head>({
    name: 'selectAuditHeads',
    text: `SELECT o.org, s.seq::float8 AS seq, s.hash FROM unnest($1::uuid[]) AS o (org)
           CROSS JOIN LATERAL (
             SELECT seq, hash FROM audit_seals WHERE org_id = o.org ORDER BY seq DESC LIMIT 1
           ) s`,
    values: [orgs],
  })
}

export async function insertSeals(db: SystemDatabase, seals: readonly Seal[]): Promise<void> {
  if (seals.length === 0) return
  await db.query({
    name: 'insertAuditSeals',
    text: `INSERT INTO audit_seals (org_id, seq, entry_id, digest, hash)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[])`,
    values: [
      seals.map(({ org }) => org),
      seals.map(({ seq }) => seq),
      seals.map(({ id }) => id),
      seals.map(({ digest }) => digest),
      seals.map(({ hash }) => hash),
    ],
  })
}

type Named = readonly { readonly org: string; readonly id: string }[]

export async function deletePending(db: SystemDatabase, entries: Named): Promise<void> {
  if (entries.length === 0) return
  await db.query({
    name: 'deletePendingAudit',
    text: `DELETE FROM audit_pending p USING unnest($1::uuid[], $2::uuid[]) AS n (org, id)
           WHERE p.org_id = n.org AND p.entry_id = n.id`,
    values: [entries.map(({ org }) => org), entries.map(({ id }) => id)],
  })
}

/** Keeps entries from being sealed for good. */
export async function refuseEntries(db: SystemDatabase, entries: Named): Promise<void> {
  if (entries.length === 0) return
  await db.query({
    name: 'refuseAuditEntries',
    text: `INSERT INTO audit_pending (org_id, entry_id, refused_at)
           SELECT org, id, now() FROM unnest($1::uuid[], $2::uuid[]) AS n (org, id)
           ON CONFLICT (org_id, entry_id) DO UPDATE SET refused_at = now()`,
    values: [entries.map(({ org }) => org), entries.map(({ id }) => id)],
  })
}

/** Notes which chains have grown since the last checkpoint. */
export async function recordGrowth(db: SystemDatabase, orgs: readonly string[]): Promise<void> {
  if (orgs.length === 0) return
  await db.query({
    name: 'recordAuditGrowth',
    text: 'INSERT INTO audit_growth (org_id) SELECT unnest($1::uuid[]) ON CONFLICT (org_id) DO NOTHING',
    values: [orgs],
  })
}

/** Chains that have grown since the last checkpoint, each with what a checkpoint said of it last. */
export function selectGrowth(
  db: SystemDatabase,
  limit: number,
): Promise<{ org: string; start: number; startHash: Buffer | null }[]> {
  return db.query({
    name: 'selectAuditGrowth',
    text: `SELECT g.org_id AS org, coalesce(h.seq, 0)::float8 AS start, h.hash AS "startHash"
           FROM audit_growth g LEFT JOIN LATERAL (
             SELECT seq, hash FROM audit_checkpoint_heads WHERE org_id = g.org_id ORDER BY checkpoint DESC LIMIT 1
           ) h ON true
           ORDER BY g.org_id LIMIT $1`,
    values: [limit],
  })
}

/** A checkpoint as the table has it. */
export interface CheckpointRow {
  readonly number: number
  readonly at: string
  readonly note: string
}

export async function selectLastCheckpoint(db: SystemDatabase): Promise<CheckpointRow | undefined> {
  const rows = await db.query<CheckpointRow>({
    name: 'selectLastAuditCheckpoint',
    text: 'SELECT number::float8, at, note FROM audit_checkpoints ORDER BY number DESC LIMIT 1',
  })
  return rows[0]
}

export async function insertCheckpoint(
  db: SystemDatabase,
  { number, at, note }: CheckpointRow,
  heads: readonly Head[],
): Promise<void> {
  await db.query({
    name: 'insertAuditCheckpoint',
    text: `WITH checkpoint AS (INSERT INTO audit_checkpoints (number, at, note) VALUES ($1, $2, $3)),
             told AS (DELETE FROM audit_growth WHERE org_id = ANY ($4::uuid[]))
           INSERT INTO audit_checkpoint_heads (checkpoint, org_id, seq, hash)
           SELECT $1, * FROM unnest($4::uuid[], $5::bigint[], $6::bytea[])`,
    values: [
      number,
      at,
      note,
      heads.map(({ org }) => org),
      heads.map(({ seq }) => seq),
      heads.map(({ hash }) => hash),
    ],
  })
}

/** Records the result of a verification. */
export async function upsertVerification(
  db: SystemDatabase,
  { kind, at, entries, problems }: { kind: 'new' | 'all'; at: Date; entries: number; problems: number },
): Promise<void> {
  await db.query({
    name: 'upsertAuditVerification',
    text: `INSERT INTO audit_verifications (kind, finished_at, entries, problems) VALUES ($1, $2, $3, $4)
           ON CONFLICT (kind) DO UPDATE
           SET finished_at = excluded.finished_at, entries = excluded.entries, problems = excluded.problems`,
    values: [kind, at, entries, problems],
  })
}

/** Deletes some personal data of a user, so that no statement takes long; returns how many. */
export async function deletePersonalData(db: SystemDatabase, userId: string, limit: number): Promise<number> {
  const rows = await db.query<{ deleted: number }>({
    name: 'deleteAuditPersonalData',
    text: `WITH gone AS (
             DELETE FROM audit_personal
             WHERE ctid = ANY (ARRAY (SELECT ctid FROM audit_personal WHERE user_id = $1 LIMIT $2)) RETURNING entry_id)
           SELECT count(*)::int AS deleted FROM gone`,
    values: [userId, limit],
  })
  return onlyRow(rows).deleted
}

/** How the log is: ages in seconds, null for what never happened. */
export interface AuditStatus {
  /** Age of the oldest entry that waits to be sealed; 0 when none waits. */
  readonly pendingAge: number
  /** Entries that are not what the service wrote. */
  readonly refused: number
  /** Age of the last verification of what is new, and of all. */
  readonly newAge: number | null
  readonly allAge: number | null
  /** Problems that these found. */
  readonly problems: number
}

export async function selectStatus(db: SystemDatabase): Promise<AuditStatus> {
  const rows = await db.query<AuditStatus>({
    name: 'selectAuditStatus',
    text: `SELECT coalesce(extract(epoch FROM now() - least(
               (SELECT at FROM audit_intake ORDER BY id LIMIT 1),
               (SELECT e.at
                FROM (SELECT org_id, entry_id FROM audit_pending WHERE refused_at IS NULL ORDER BY entry_id LIMIT 1) p
                JOIN audit_entries e ON e.org_id = p.org_id AND e.id = p.entry_id)
             )), 0)::float8 AS "pendingAge",
             (SELECT count(*) FROM (
               SELECT FROM audit_pending WHERE refused_at IS NOT NULL ORDER BY refused_at LIMIT 1000
             ) r)::int AS refused,
             (SELECT extract(epoch FROM now() - finished_at) FROM audit_verifications WHERE kind = 'new')::float8
               AS "newAge",
             (SELECT extract(epoch FROM now() - finished_at) FROM audit_verifications WHERE kind = 'all')::float8
               AS "allAge",
             (SELECT coalesce(sum(problems), 0) FROM audit_verifications)::float8 AS problems`,
  })
  const [status] = rows
  if (status === undefined) throw new Error('the status of the audit log has no row')
  return status
}

/** The end of what can be cut off a chain. */
export interface Cuttable {
  readonly org: string
  readonly seq: number
  readonly hash: Buffer
}

/** Chains with a checkpoint before a time, each with the last such head that is not the chain's own. */
export function selectCuttable(
  db: SystemDatabase,
  { before, after, org, limit }: { before: Date; after: string | null; org: string | null; limit: number },
): Promise<Cuttable[]> {
  return db.query<Cuttable>({
    name: 'selectCuttableAudit',
    text: `SELECT DISTINCT ON (h.org_id) h.org_id AS org, h.seq::float8 AS seq, h.hash
           FROM audit_checkpoint_heads h JOIN audit_checkpoints c ON c.number = h.checkpoint
           WHERE c.at < $1 AND ($2::uuid IS NULL OR h.org_id > $2) AND ($3::uuid IS NULL OR h.org_id = $3)
             AND EXISTS (SELECT FROM audit_seals s WHERE s.org_id = h.org_id AND s.seq = h.seq AND s.hash = h.hash)
             AND EXISTS (SELECT FROM audit_seals s WHERE s.org_id = h.org_id AND s.seq > h.seq)
           ORDER BY h.org_id, h.seq DESC LIMIT $4`,
    values: [before, after, org, limit],
  })
}

/** Lets this transaction delete what the triggers keep. */
export async function allowCut(db: SystemDatabase): Promise<void> {
  await db.query({ name: 'allowAuditCut', text: "SELECT set_config('app.audit_cut', 'on', true)" })
}

export async function insertCut(
  db: SystemDatabase,
  { org, seq, hash, at, note }: Cuttable & { readonly at: string; readonly note: string },
): Promise<void> {
  await db.query({
    name: 'insertAuditCut',
    text: 'INSERT INTO audit_cuts (org_id, seq, hash, at, note) VALUES ($1, $2, $3, $4, $5)',
    values: [org, seq, hash, at, note],
  })
}

/** Deletes seals up to one, with what they seal; returns how many. */
export async function deleteBeginning(db: SystemDatabase, org: string, seq: number): Promise<number> {
  const rows = await db.query<{ deleted: number }>({
    name: 'deleteAuditBeginning',
    text: `WITH seals AS (DELETE FROM audit_seals WHERE org_id = $1 AND seq <= $2 RETURNING entry_id),
             personal AS (DELETE FROM audit_personal WHERE org_id = $1 AND entry_id IN (SELECT entry_id FROM seals)),
             entries AS (
               DELETE FROM audit_entries WHERE org_id = $1 AND id IN (SELECT entry_id FROM seals) RETURNING id)
           SELECT count(*)::int AS deleted FROM entries`,
    values: [org, seq],
  })
  return onlyRow(rows).deleted
}
