import type pg from 'pg'

/** A row of `schemaversion`, postgrator's table. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  /** Digest of the do file when it was run. */
  readonly md5: string
  readonly run_at: Date
}

const UNDEFINED_TABLE = '42P01'

/** Reads what was applied, oldest first. A database without the table has nothing applied. */
export async function selectApplied(db: pg.ClientBase): Promise<readonly AppliedMigration[]> {
  const text = 'SELECT version::int, name, md5, run_at FROM schemaversion WHERE version > 0 ORDER BY version'
  return emptyWithoutTable(async () => (await db.query<AppliedMigration>(text)).rows)
}

/** Returns the result of `read`, or nothing if postgrator's table does not exist yet. */
export async function emptyWithoutTable<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read()
  } catch (error) {
    if (isUndefinedTable(error)) return []
    throw error
  }
}

/** The driver's error may come wrapped in ours. */
function isUndefinedTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === UNDEFINED_TABLE) || isUndefinedTable(error.cause)
}
