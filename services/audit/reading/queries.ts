import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { AuditEntry, PlatformAuditEntry } from '#schemas/audit.ts'
import type { Head } from '../chain.ts'
import { PLATFORM } from '../entry.ts'

const COLUMNS = `e.id, e.at, e.actor_kind, e.actor_id, e.action, e.target_type, e.target_id, e.outcome, e.request_id,
  e.details::text AS details, coalesce(e.ip, p.ip) AS ip, coalesce(e.user_agent, p.user_agent) AS user_agent,
  s.seq::float8 AS seq`

const ENTRY = `org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details,
  personal_commitment, mac`

/**
 * The newest entries that meet a condition, with what belongs to them: those that are filed, and those that are not yet,
 * which have their personal data with them. What is joined is joined to entries that were found before: by itself,
 * PostgreSQL may look for a seal through all of a chain of which it has no statistics yet.
 */
const entriesWhere = (condition: string, limit: string) => `(
  (SELECT ${ENTRY}, NULL::bytea AS salt, NULL::text AS ip, NULL::text AS user_agent
   FROM audit_entries WHERE ${condition} ORDER BY id DESC LIMIT ${limit})
  UNION ALL
  (SELECT ${ENTRY}, salt, ip, user_agent FROM audit_intake WHERE ${condition} ORDER BY id DESC LIMIT ${limit})
  ORDER BY id DESC LIMIT ${limit}
) e
  LEFT JOIN audit_personal p ON p.org_id = e.org_id AND p.entry_id = e.id
  LEFT JOIN audit_seals s ON s.org_id = e.org_id AND s.entry_id = e.id`

export interface EntryFilter {
  /** The column that is searched, if one is, and what for. */
  readonly by?: { readonly column: 'actor_id' | 'action' | 'target_id'; readonly value: string } | undefined
  /** Only entries before this id, and from this one on. */
  readonly before: string | null
  readonly from: string | null
  readonly limit: number
}

/** Newest first. */
export function selectEntries(
  db: OrgDatabase,
  { by, before, from, limit }: EntryFilter,
): Promise<AuditEntry[]> {
  return db.query<AuditEntry>({
    name: by === undefined ? 'selectAuditEntries' : `selectAuditEntriesBy:${by.column}`,
    text: `SELECT ${COLUMNS} FROM ${entriesWhere(
      `org_id = $1
               AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
               AND id >= coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
               ${by === undefined ? '' : `AND ${by.column} = $5`}`,
      '$4',
    )} ORDER BY e.id DESC`,
    values: [db.org, before, from, limit, ...(by === undefined ? [] : [by.value])],
  })
}

/** Acts of somebody as an admin of the service, in all logs; nothing that members did. Newest first. */
export function selectEntriesOfAdmin(
  db: SystemDatabase,
  { admin, before, from, limit }: { readonly admin: string } & Omit<EntryFilter, 'by'>,
): Promise<PlatformAuditEntry[]> {
  return db.query<PlatformAuditEntry>({
    name: 'selectAuditEntriesOfAdmin',
    text: `SELECT ${COLUMNS}, nullif(e.org_id, '${PLATFORM}') AS organization_id FROM ${entriesWhere(
      `actor_kind = 'admin' AND actor_id = $1
               AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
               AND id >= coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')`,
      '$4',
    )} ORDER BY e.id DESC`,
    values: [admin, before, from, limit],
  })
}

/** An entry with what its hash is over. */
export interface SealedEntry extends AuditEntry {
  readonly commitment: Buffer
  readonly mac: Buffer
  readonly salt: Buffer | null
  readonly hash: Buffer | null
}

export async function selectEntry(db: OrgDatabase, id: string): Promise<SealedEntry | undefined> {
  const rows = await db.query<SealedEntry>({
    name: 'selectAuditEntry',
    text: `SELECT ${COLUMNS}, e.personal_commitment AS commitment, e.mac, coalesce(e.salt, p.salt) AS salt, s.hash
           FROM ${entriesWhere('org_id = $1 AND id = $2', '1')}`,
    values: [db.org, id],
  })
  return rows[0]
}

export interface CoveringHead {
  readonly checkpoint: number
  readonly note: string
  readonly seq: number
}

/** The first head under a checkpoint at or after a seal. */
export async function selectCoveringHead(db: OrgDatabase, seq: number): Promise<CoveringHead | undefined> {
  const rows = await db.query<CoveringHead>({
    name: 'selectCoveringAuditHead',
    text: `SELECT h.checkpoint::float8 AS checkpoint, c.note, h.seq::float8 AS seq
           FROM audit_checkpoint_heads h JOIN audit_checkpoints c ON c.number = h.checkpoint
           WHERE h.org_id = $1 AND h.seq >= $2 ORDER BY h.seq LIMIT 1`,
    values: [db.org, seq],
  })
  return rows[0]
}

/** Digests and hashes of a range of seals, both ends included. */
export function selectSeals(
  db: OrgDatabase,
  first: number,
  last: number,
): Promise<{ seq: number; digest: Buffer; hash: Buffer }[]> {
  return db.query({
    name: 'selectAuditSeals',
    text: `SELECT seq::float8 AS seq, digest, hash FROM audit_seals
           WHERE org_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq`,
    values: [db.org, first, last],
  })
}

/** The hash of the last seal that a cut has deleted, if the chain was cut there. */
export async function selectCutHash(db: OrgDatabase, seq: number): Promise<Buffer | undefined> {
  const rows = await db.query<{ hash: Buffer }>({
    name: 'selectAuditCutHash',
    text: 'SELECT hash FROM audit_cuts WHERE org_id = $1 AND seq = $2',
    values: [db.org, seq],
  })
  return rows[0]?.hash
}

/** The leaves of a checkpoint's tree, in their order. */
export function selectLeaves(db: SystemDatabase, checkpoint: number): Promise<Head[]> {
  return db.query<Head>({
    name: 'selectAuditLeaves',
    text: `SELECT org_id AS org, seq::float8 AS seq, hash FROM audit_checkpoint_heads
           WHERE checkpoint = $1 ORDER BY org_id`,
    values: [checkpoint],
  })
}

/** The end of the chain, and the last note over it. */
export async function selectHead(
  db: OrgDatabase,
): Promise<{ seq: number; hash: Buffer | null; checkpoint: string | null }> {
  const rows = await db.query<{ seq: number; hash: Buffer | null; checkpoint: string | null }>({
    name: 'selectAuditHead',
    text: `SELECT coalesce(s.seq, 0)::float8 AS seq, s.hash, c.note AS checkpoint
           FROM (SELECT) AS one
           LEFT JOIN LATERAL (
             SELECT seq, hash FROM audit_seals WHERE org_id = $1 ORDER BY seq DESC LIMIT 1
           ) s ON true
           LEFT JOIN LATERAL (
             SELECT k.note FROM audit_checkpoint_heads h JOIN audit_checkpoints k ON k.number = h.checkpoint
             WHERE h.org_id = $1 ORDER BY h.checkpoint DESC LIMIT 1
           ) c ON true`,
    values: [db.org],
  })
  return onlyRow(rows)
}
