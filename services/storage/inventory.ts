import type { Database } from '#lib/database/database.ts'
import type { DescribedObject } from '#lib/object-store/copy-object.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import * as queries from './inventory-queries.ts'

// What the store has to have, for backups and those who check it. For operators: nobody's rights are asked for.

/** Rows that are asked for at once. */
const PAGE = 1000

/** Before all keys. */
const FIRST = ''

/** A content that a file has, or a copy of an image. */
export interface KeptObject extends DescribedObject {
  /** The kind of store that it was written to. */
  readonly store: ObjectStore['kind']
}

/** Yields all contents that files have, and all copies of images, sorted by key. */
export async function* inventory(db: Pick<Database, 'query'>): AsyncGenerator<KeptObject> {
  const read = (last: KeptObject | undefined, limit: number) => someKept(db, last?.key ?? FIRST, limit)
  for await (const page of inBatches(PAGE, read)) yield* page
}

/** Returns the contents whose keys come after one, as many as there are up to a limit. */
export async function someKept(
  db: Pick<Database, 'query'>,
  after: string,
  limit: number,
): Promise<KeptObject[]> {
  const rows = await queries.selectKept(db, after, limit)
  return rows.map((row) => ({ ...row, size: Number(row.size) }))
}

/** Says that all contents were brought to this kind of store. */
export function setStore(db: Pick<Database, 'query'>, store: ObjectStore['kind']): Promise<void> {
  return queries.updateStores(db, store)
}
