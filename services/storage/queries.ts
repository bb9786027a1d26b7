import { NOBODY_COPIES } from '#lib/backup/hold-removals.ts'
import type { Database } from '#lib/database/database.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'

/** An object that is about to be written. */
export interface NewObject {
  readonly key: string
  readonly store: ObjectStore['kind']
  /** The user or organization that it counts for. */
  readonly space: string
  readonly bytes: number
  /** Milliseconds after which it may be removed, unless it is renewed or kept by then. */
  readonly leaseMs: number
}

/**
 * Takes space and says that the object may exist, in one statement; returns false if the space has not so much left.
 *
 * @param quota bytes that there may be, unless an admin has said otherwise; null for what is never refused
 */
export async function insertObject(db: Database, object: NewObject, quota: number | null): Promise<boolean> {
  const values = valuesOf(object, quota)
  return (await db.query({ name: 'insertStoredObject', text: INSERT_OBJECT, values })).length > 0
}

/**
 * The same, to be followed by `flushObjects`: all that is written for one user or organization changes one row, and
 * would wait for the disk one after the other. Not for a transaction, whose commit would not wait either.
 *
 * @param replaced an object that does not count, as long as a file has it
 */
export async function insertObjectUnflushed(
  db: Database,
  object: NewObject,
  { quota, replaced }: { quota: number | null; replaced?: string | undefined },
): Promise<boolean> {
  const [name, insert] =
    replaced === undefined
      ? ['insertStoredObject:unflushed', INSERT_OBJECT]
      : ['insertStoredObject:replacing', INSERT_REPLACING]
  const text = `${insert}, set_config('synchronous_commit', 'off', true)`
  const values = [...valuesOf(object, quota), ...(replaced === undefined ? [] : [replaced])]
  return (await db.query({ name, text, values })).length > 0
}

/** Makes the rows of objects durable, holding no lock meanwhile; returns those that no crash of the database has lost. */
export async function flushObjects(db: Database, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ key: string }>({
    name: 'flushStoredObjects',
    text: `SELECT key, pg_logical_emit_message(true, 'stored_objects', '') FROM stored_objects
           WHERE key = ANY ($1::text[]) AND state = 'writing'`,
    values: [keys],
  })
  return new Set(rows.map(({ key }) => key))
}

/** SQL that takes space and inserts an object. `replaced`: what comes first, and SQL of the bytes that do not count. */
const insertion = (replaced: { first: string; bytes: string }) => `WITH ${replaced.first} space AS (
    INSERT INTO storage_usage AS u (space_id, bytes) SELECT $2, $3::bigint WHERE ${replaced.bytes} >= 0
      AND ($4::bigint IS NULL OR $3::bigint <= $4
        OR EXISTS (SELECT 1 FROM storage_usage WHERE space_id = $2 AND max_bytes IS NOT NULL))
    ON CONFLICT (space_id) DO UPDATE SET bytes = u.bytes + $3, updated_at = now()
      WHERE $4 IS NULL OR u.bytes + $3 <= coalesce(u.max_bytes, $4) + ${replaced.bytes}
    RETURNING 1)
  INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
  SELECT $1, $5, $2, $3, 'writing', now() + $6 * interval '1 millisecond' FROM space
  RETURNING 1 AS taken`

const INSERT_OBJECT = insertion({ first: '', bytes: '0' })

/**
 * Has nobody end the object before the statement has: otherwise it would not count here, and no longer count in the sum. It
 * is locked before the space, as by all others, so that none waits for the other in a circle.
 */
const replacedObject = (parameter: string) =>
  `replaced AS (SELECT bytes FROM stored_objects WHERE key = ${parameter} AND state = 'kept' FOR SHARE)`

const INSERT_REPLACING = insertion({
  first: `${replacedObject('$7')},`,
  bytes: 'coalesce((SELECT bytes FROM replaced), 0)',
})

const valuesOf = ({ key, space, bytes, store, leaseMs }: NewObject, quota: number | null) => [
  ...[key, space, bytes, quota, store, leaseMs],
]

/**
 * Takes more space for an object; returns false if there is not so much left, or the object has expired.
 *
 * @param allowance.replaced as of `insertObjectUnflushed`
 */
export async function growObject(
  db: Database,
  key: string,
  bytes: number,
  { quota, replaced }: { quota: number; replaced?: string | undefined },
): Promise<boolean> {
  // The objects are locked first, as by all others, so that none waits for the other in a circle.
  const rows = await db.query({
    name: 'growStoredObject',
    text: `WITH ${replacedObject('$4')},
           object AS (SELECT space_id FROM stored_objects WHERE key = $1 AND state = 'writing' FOR UPDATE),
           space AS (
             UPDATE storage_usage u SET bytes = u.bytes + $2, updated_at = now()
             FROM object o LEFT JOIN replaced r ON true
             WHERE u.space_id = o.space_id
               AND u.bytes + $2 <= coalesce(u.max_bytes, $3) + coalesce(r.bytes, 0) RETURNING 1)
           UPDATE stored_objects SET bytes = bytes + $2 FROM space WHERE key = $1 RETURNING 1 AS taken`,
    values: [key, bytes, quota, replaced ?? null],
  })
  return rows.length > 0
}

/** Says that the object is still being written; returns false if it has expired. */
export async function renewObject(db: Database, key: string, leaseMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'renewStoredObject',
    text: `UPDATE stored_objects SET expires_at = now() + $2 * interval '1 millisecond'
           WHERE key = $1 AND state = 'writing' RETURNING 1 AS renewed`,
    values: [key, leaseMs],
  })
  return rows.length > 0
}

/** Says that a file has the object, and how large it is; returns false if it has expired. What it took too much is free. */
export async function keepObject(db: Database, key: string, bytes: number): Promise<boolean> {
  const rows = await db.query({
    name: 'keepStoredObject',
    text: `UPDATE stored_objects SET state = 'kept', bytes = $2 WHERE key = $1 AND state = 'writing'
           RETURNING 1 AS kept`,
    values: [key, bytes],
  })
  return rows.length > 0
}

/** Has an object stay while the transaction lasts; returns false if no file has it any more. */
export async function holdObject(db: Database, key: string): Promise<boolean> {
  const rows = await db.query({
    name: 'holdStoredObject',
    text: "SELECT 1 AS held FROM stored_objects WHERE key = $1 AND state = 'kept' FOR SHARE",
    values: [key],
  })
  return rows.length > 0
}

/** Frees the space of an object that no file will have; returns false if a file has it. */
export async function doomObject(db: Database, key: string): Promise<boolean> {
  const rows = await db.query({
    name: 'doomStoredObject',
    text: `UPDATE stored_objects SET state = 'doomed', expires_at = now() WHERE key = $1 AND state = 'writing'
           RETURNING 1 AS doomed`,
    values: [key],
  })
  return rows.length > 0
}

/** Frees the space of objects whose writing was given up, and returns how many. They are removed a while later. */
export async function doomExpired(db: Database, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'doomExpiredObjects',
    text: `UPDATE stored_objects SET state = 'doomed', expires_at = now() + interval '1 hour'
           WHERE key IN (SELECT key FROM stored_objects WHERE state = 'writing' AND expires_at < now()
                         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING 1 AS doomed`,
    values: [limit],
  })
  return rows.length
}

/** Objects of a store that may be removed: none while somebody copies them. */
export async function selectRemovable(
  db: Database,
  store: ObjectStore['kind'],
  limit: number,
): Promise<string[]> {
  const rows = await db.query<{ key: string }>({
    name: 'selectRemovableObjects',
    text: `SELECT key FROM stored_objects
           WHERE state = 'doomed' AND expires_at <= now() AND store = $1 AND ${NOBODY_COPIES}
           ORDER BY expires_at LIMIT $2`,
    values: [store, limit],
  })
  return rows.map(({ key }) => key)
}

/** Forgets objects that are removed. */
export async function deleteRemoved(db: Database, keys: readonly string[]): Promise<void> {
  await db.query({
    name: 'deleteRemovedObjects',
    text: "DELETE FROM stored_objects WHERE key = ANY ($1) AND state = 'doomed'",
    values: [keys],
  })
}

/** Space that a user or organization takes. */
export interface Usage {
  readonly bytes: number
  /** Bytes that an admin lets it have; null for the service's own limit. */
  readonly maxBytes: number | null
}

export async function selectUsage(db: Database, space: string): Promise<Usage> {
  const rows = await db.query<{ bytes: string; max_bytes: string | null }>({
    name: 'selectStorageUsage',
    text: 'SELECT bytes, max_bytes FROM storage_usage WHERE space_id = $1',
    values: [space],
    pipelined: true,
  })
  const [{ bytes, max_bytes } = { bytes: '0', max_bytes: null }] = rows
  return { bytes: Number(bytes), maxBytes: max_bytes === null ? null : Number(max_bytes) }
}

/**
 * The usage of a user or organization for admins, and which it is; undefined if there is no such one.
 *
 * @reads organizations
 * @reads users
 */
export async function selectSpace(
  db: SystemDatabase,
  space: string,
): Promise<(Usage & { kind: 'user' | 'organization' }) | undefined> {
  const rows = await db.query<{ kind: 'user' | 'organization' }>({
    name: 'selectStorageSpace',
    text: `SELECT 'organization' AS kind FROM organizations WHERE id = $1
           UNION ALL SELECT 'user' FROM users WHERE id = $1`,
    values: [space],
  })
  return rows[0] && { ...rows[0], ...(await selectUsage(db, space)) }
}

/** Sets how many bytes a user or organization may have; null for the service's own limit. */
export async function upsertLimit(db: Database, space: string, maxBytes: number | null): Promise<void> {
  await db.query({
    name: 'upsertStorageLimit',
    text: `INSERT INTO storage_usage (space_id, bytes, max_bytes) VALUES ($1, 0, $2)
           ON CONFLICT (space_id) DO UPDATE SET max_bytes = $2, updated_at = now()`,
    values: [space, maxBytes],
  })
}
