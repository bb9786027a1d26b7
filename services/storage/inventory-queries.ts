import type { Database } from '#lib/database/database.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'

/** A content that a file has, or a copy of an image. */
export interface KeptRow {
  readonly key: string
  readonly store: ObjectStore['kind']
  /** bigint, and so text. */
  readonly size: string
  readonly sha256: string
}

/**
 * Contents after a key, sorted by key.
 *
 * @reads files
 * @reads object_variants
 */
export function selectKept(db: Pick<Database, 'query'>, after: string, limit: number): Promise<KeptRow[]> {
  return db.query<KeptRow>({
    name: 'selectKeptObjects',
    text: `SELECT o.key, o.store, c.size, encode(c.sha256, 'hex') AS sha256 FROM stored_objects o
           CROSS JOIN LATERAL (
             SELECT f.size, f.sha256 FROM files f WHERE f.key = o.key
             UNION ALL SELECT v.size, v.sha256 FROM object_variants v WHERE v.variant_key = o.key LIMIT 1) c
           WHERE o.key > $1 AND o.state = 'kept' ORDER BY o.key LIMIT $2`,
    values: [after, limit],
  })
}

/** Those of these keys that a file still has, or a copy of an image. */
export async function selectStillKept(
  db: Pick<Database, 'query'>,
  keys: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ key: string }>({
    name: 'selectStillKeptObjects',
    text: "SELECT key FROM stored_objects WHERE key = ANY ($1::text[]) AND state = 'kept'",
    values: [keys],
  })
  return new Set(rows.map(({ key }) => key))
}

/** Those of these keys that have a row. */
export async function selectNamed(
  db: Pick<Database, 'query'>,
  keys: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ key: string }>({
    name: 'selectNamedObjects',
    text: 'SELECT key FROM stored_objects WHERE key = ANY ($1::text[])',
    values: [keys],
  })
  return new Set(rows.map(({ key }) => key))
}

/** Says that all objects are in this kind of store. */
export async function updateStores(db: Pick<Database, 'query'>, store: ObjectStore['kind']): Promise<void> {
  await db.query({
    name: 'updateStoresOfObjects',
    text: 'UPDATE stored_objects SET store = $1 WHERE store <> $1',
    values: [store],
  })
}
