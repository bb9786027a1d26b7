import type pg from 'pg'
import { emptyWithoutTable } from '#lib/database/empty-without-table.ts'

/** A row of `schemaversion`, postgrator's table. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  /** Digest of the do file when it was run. */
  readonly md5: string
  readonly run_at: Date
}

/** Reads what was applied, oldest first. A database without the table has nothing applied. */
export async function selectApplied(db: pg.ClientBase): Promise<readonly AppliedMigration[]> {
  const text = 'SELECT version::int, name, md5, run_at FROM schemaversion WHERE version > 0 ORDER BY version'
  return emptyWithoutTable(async () => (await db.query<AppliedMigration>(text)).rows)
}
