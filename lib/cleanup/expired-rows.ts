import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { exportsOf } from '#lib/discovery/exports-of.ts'

interface ExpiryOptions extends Pick<Expiry, 'table' | 'key' | 'condition'> {
  readonly ofTenants?: boolean
}

/** Rows of a table that are of no use any more. A domain declares its own in `expiry.ts`. */
export class Expiry {
  readonly table: string
  /** The columns by which rows are deleted, with commas between: the primary key's, or `ctid`. */
  readonly key: string
  /** SQL that is true for such a row. */
  readonly condition: string
  /** Whether the rows are of organizations, whose policies hide them from all others. */
  readonly ofTenants: boolean

  constructor({ table, key, condition, ofTenants = false }: ExpiryOptions) {
    this.table = table
    this.key = key
    this.condition = condition
    this.ofTenants = ofTenants
  }
}

/** Rows that one statement deletes: few enough to hold no lock for long. */
const BATCH_ROWS = 1000

const FOLDERS = [new URL('../../lib/', import.meta.url), new URL('../../services/', import.meta.url)]

/** Returns what every lib/<part>/expiry.ts and services/<domain>/expiry.ts declares. */
export async function findExpiries(folders: readonly URL[] = FOLDERS): Promise<Expiry[]> {
  const values = await exportsOf('expiry.ts', folders)
  return values.filter((value) => value instanceof Expiry)
}

/**
 * Deletes expired rows in batches and returns how many. Rows in use are left for the next time.
 *
 * @throws what the signal is aborted with
 */
export async function deleteAllExpired(db: Database, expiry: Expiry, signal: AbortSignal): Promise<number> {
  let rows = 0
  let batch: number
  do {
    signal.throwIfAborted()
    batch = await deleteBatch(db, expiry)
    rows += batch
  } while (batch === BATCH_ROWS)
  return rows
}

async function deleteBatch(db: Database, { table, key, condition, ofTenants }: Expiry): Promise<number> {
  const deleted = await (ofTenants ? new SystemDatabase(db) : db).query({
    name: `deleteOutdated_${table}`,
    text: `DELETE FROM ${table} WHERE (${key}) IN (
             SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED)
           RETURNING ${key}`,
    // A condition may contain a time.
    prepare: false,
  })
  return deleted.length
}
