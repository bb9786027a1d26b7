import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { ENTRY_COLUMNS, type EntryRow, foundEntry, type PendingEntry } from '../entry-row.ts'
import { SEALED_COLUMNS } from './sealed-row.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A chain, after which seal to read it, and how many. */
export interface ChainPosition {
  readonly org: string
  readonly after: number
  readonly rows: number
}

/** Seals before the first one whose entries are looked at as well: entries are sealed nearly in the order of their ids. */
const SEALS_BEFORE = 20
/** Entries of a window beyond those that are expected: some are not sealed yet. */
const ENTRIES_BEYOND = 100

/**
 * Reads the next seals of each chain in their order, with those of their entries and personal data that are in a window:
 * as many as the seals, in the order of ids, from the entry of the seals before. What somebody has made up may be outside
 * of it, and so may what was committed late. The transaction must have been begun by `beginReading`.
 */
export async function copySeals(
  db: SystemDatabase,
  chains: readonly ChainPosition[],
  onCopied: (message: Buffer) => void,
): Promise<void> {
  // COPY takes no parameters.
  const list = chains.map(({ org, after, rows }, index) => {
    return `(${index}, ${uuid(org)}, ${int8(after)}, ${int8(rows)})`
  })
  const windowOf = (table: string, id: string) => `(
    SELECT w.* FROM c CROSS JOIN LATERAL (
      SELECT * FROM ${table} WHERE org_id = c.org_id AND ${id} >= c.first ORDER BY ${id} LIMIT c.rows + ${ENTRIES_BEYOND}
    ) AS w)`
  await db.query({
    name: 'copyAuditSeals',
    text: `COPY (
             WITH c AS MATERIALIZED (
               SELECT v.*, coalesce((
                   SELECT entry_id FROM (
                     SELECT entry_id FROM audit_seals WHERE org_id = v.org_id AND seq <= v.after
                     ORDER BY seq DESC LIMIT ${SEALS_BEFORE}
                   ) AS l ORDER BY entry_id LIMIT 1
                 ), '00000000-0000-0000-0000-000000000000') AS first
               FROM (VALUES ${list.join(', ')}) AS v (place, org_id, after, rows)
             )
             SELECT ${SEALED_COLUMNS}
             FROM (
               SELECT w.*, c.place FROM c CROSS JOIN LATERAL (
                 SELECT * FROM audit_seals WHERE org_id = c.org_id AND seq > c.after ORDER BY seq LIMIT c.rows
               ) AS w
             ) AS s
             LEFT JOIN ${windowOf('audit_entries', 'id')} AS e ON e.org_id = s.org_id AND e.id = s.entry_id
             LEFT JOIN ${windowOf('audit_personal', 'entry_id')} AS p
               ON p.org_id = s.org_id AND p.entry_id = s.entry_id
             ORDER BY s.place, s.seq
           ) TO STDOUT (FORMAT binary)`,
    prepare: false,
    onCopied,
  })
}

/** Reads single seals with their entries and personal data, wherever these are. */
export async function copySealsAt(
  db: SystemDatabase,
  places: readonly { readonly org: string; readonly seq: number }[],
  onCopied: (message: Buffer) => void,
): Promise<void> {
  const list = places.map(({ org, seq }) => `(${uuid(org)}, ${int8(seq)})`)
  await db.query({
    name: 'copyAuditSealsAt',
    text: `COPY (
             SELECT ${SEALED_COLUMNS}
             FROM (VALUES ${list.join(', ')}) AS c (org_id, seq)
             CROSS JOIN LATERAL (SELECT * FROM audit_seals WHERE org_id = c.org_id AND seq = c.seq LIMIT 1) AS s
             LEFT JOIN LATERAL (
               SELECT * FROM audit_entries WHERE org_id = s.org_id AND id = s.entry_id LIMIT 1) AS e ON true
             LEFT JOIN LATERAL (
               SELECT * FROM audit_personal WHERE org_id = s.org_id AND entry_id = s.entry_id LIMIT 1) AS p ON true
           ) TO STDOUT (FORMAT binary)`,
    prepare: false,
    onCopied,
  })
}

function uuid(value: string): string {
  if (!UUID.test(value)) throw new TypeError(`${value} is not a UUID`)
  return `'${value}'::uuid`
}

function int8(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not a whole number`)
  return `${value}::bigint`
}

/** Numbers of the last seals of chains. */
export async function selectEnds(db: SystemDatabase, orgs: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ org: string; seq: number }>({
    name: 'selectAuditEnds',
    text: `SELECT c.org, s.seq::float8 AS seq FROM unnest($1::uuid[]) AS c (org)
           CROSS JOIN LATERAL (
             SELECT seq FROM audit_seals WHERE org_id = c.org ORDER BY seq DESC LIMIT 1
           ) AS s`,
    values: [orgs],
  })
  return new Map(rows.map(({ org, seq }) => [org, seq]))
}

/** A chain, its last cut, and the last head before a time that a checkpoint signed. */
export interface ChainRow {
  readonly org: string
  readonly cut: string | null
  readonly cutHash: Buffer | null
  readonly known: string | null
  readonly knownHash: Buffer | null
}

/** The next chains after an organization, in their order, with what was cut off, and what was checkpointed by a time. */
export function selectChains(
  db: SystemDatabase,
  { after, limit, since }: { after: string | null; limit: number; since: Date | null },
): Promise<ChainRow[]> {
  return db.query({
    name: 'selectAuditChains',
    text: `WITH RECURSIVE chain AS (
             (SELECT org_id FROM audit_seals WHERE $1::uuid IS NULL OR org_id > $1 ORDER BY org_id LIMIT 1)
             UNION ALL
             SELECT (SELECT s.org_id FROM audit_seals s WHERE s.org_id > c.org_id ORDER BY s.org_id LIMIT 1)
             FROM chain c WHERE c.org_id IS NOT NULL
           ), page AS (SELECT org_id FROM chain WHERE org_id IS NOT NULL LIMIT $2)
           SELECT page.org_id AS org, cut.seq AS cut, cut.hash AS "cutHash", known.seq AS known, known.hash AS "knownHash"
           FROM page
           LEFT JOIN LATERAL (
             SELECT seq, hash FROM audit_cuts WHERE org_id = page.org_id ORDER BY seq DESC LIMIT 1
           ) cut ON true
           LEFT JOIN LATERAL (
             SELECT h.seq, h.hash FROM audit_checkpoint_heads h JOIN audit_checkpoints k ON k.number = h.checkpoint
             WHERE h.org_id = page.org_id AND k.at <= $3 ORDER BY h.checkpoint DESC LIMIT 1
           ) known ON true
           ORDER BY page.org_id`,
    values: [after, limit, since],
  })
}

/** Chains whose end is under no checkpoint, and of which the next one would not know; and that end. */
export function selectUncovered(
  db: SystemDatabase,
  orgs: readonly string[],
): Promise<{ org: string; covered: number; end: number }[]> {
  return db.query({
    name: 'selectUncoveredAuditChains',
    // In one statement: the sealer and the checkpoints change these tables together.
    text: `SELECT o.org, coalesce(h.seq, 0)::float8 AS covered, s.seq::float8 AS "end"
           FROM unnest($1::uuid[]) AS o (org)
           CROSS JOIN LATERAL (
             SELECT seq FROM audit_seals WHERE org_id = o.org ORDER BY seq DESC LIMIT 1
           ) s
           LEFT JOIN LATERAL (
             SELECT seq FROM audit_checkpoint_heads WHERE org_id = o.org ORDER BY checkpoint DESC LIMIT 1
           ) h ON true
           WHERE s.seq > coalesce(h.seq, 0) AND NOT EXISTS (SELECT FROM audit_growth g WHERE g.org_id = o.org)`,
    values: [orgs],
  })
}

/** A checkpoint. */
export interface CheckpointRow {
  readonly number: number
  readonly at: string
  /** Signed. */
  readonly note: string
}

/** The next checkpoints, in their order. */
export function selectCheckpoints(
  db: SystemDatabase,
  after: number,
  limit: number,
): Promise<CheckpointRow[]> {
  return db.query({
    name: 'selectAuditCheckpoints',
    text: 'SELECT number::float8, at, note FROM audit_checkpoints WHERE number > $1 ORDER BY number LIMIT $2',
    values: [after, limit],
  })
}

/** A head of a checkpoint, and what the chain has in its place. */
export interface CheckedHead {
  readonly org: string
  readonly seq: number
  readonly hash: Buffer
  readonly found: Buffer | null
}

/** The heads of a checkpoint, in the order of the tree. */
export function selectCheckpointHeads(db: SystemDatabase, checkpoint: number): Promise<CheckedHead[]> {
  return db.query({
    name: 'selectAuditCheckpointHeads',
    text: `SELECT h.org_id AS org, h.seq::float8 AS seq, h.hash, s.hash AS found
           FROM audit_checkpoint_heads h LEFT JOIN audit_seals s ON s.org_id = h.org_id AND s.seq = h.seq
           WHERE h.checkpoint = $1 ORDER BY h.org_id`,
    values: [checkpoint],
  })
}

/** Entries that are neither sealed nor wait for it, and those that the sealer refused; at most `limit`. */
export async function selectStrayEntries(
  db: SystemDatabase,
  org: string | null,
  limit: number,
): Promise<PendingEntry[]> {
  const rows = await db.query<EntryRow>({
    name: 'selectStrayAuditEntries',
    text: `SELECT e.org_id AS org, e.id, ${ENTRY_COLUMNS} FROM audit_entries e
           WHERE ($1::uuid IS NULL OR e.org_id = $1)
             AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.org_id = e.org_id AND s.entry_id = e.id)
             AND NOT EXISTS (SELECT FROM audit_pending p
                             WHERE p.org_id = e.org_id AND p.entry_id = e.id AND p.refused_at IS NULL)
           UNION ALL
           SELECT p.org_id, p.entry_id, ${ENTRY_COLUMNS} FROM audit_pending p
           LEFT JOIN audit_entries e ON e.org_id = p.org_id AND e.id = p.entry_id
           WHERE ($1::uuid IS NULL OR p.org_id = $1) AND e.id IS NULL
           LIMIT $2`,
    values: [org, limit],
  })
  return rows.map(foundEntry)
}

/** Beginnings that were cut off, by chain. */
export function selectCuts(
  db: SystemDatabase,
): Promise<{ org: string; seq: number; hash: Buffer; at: string; note: string }[]> {
  return db.query({
    name: 'selectAuditCuts',
    text: 'SELECT org_id AS org, seq::float8 AS seq, hash, at, note FROM audit_cuts ORDER BY org_id, seq',
  })
}

/**
 * Begins a transaction with the scope that COPY needs, with room for a batch in memory, and for joins by a hash: what the
 * planner knows of the tables may be old, and a lookup for each seal takes twice the time.
 */
export async function beginReading(db: SystemDatabase): Promise<void> {
  await db.query({
    name: 'beginAuditReading',
    text: `SELECT set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true),
             set_config('enable_mergejoin', 'off', true)`,
  })
}
