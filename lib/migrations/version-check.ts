import { emptyWithoutTable } from '#lib/database/empty-without-table.ts'
import { listMigrations } from './files.ts'

/** Runs one statement. */
export type Query = (text: string) => Promise<{ readonly rows: readonly unknown[] }>

/**
 * Makes the check behind /ready: is the database at the version of the newest migration file? It is also true
 * of a newer database, which an old instance meets in a rolling deploy. The files are listed once, here; each
 * call of the check costs one SELECT.
 *
 * @throws MigrationError when the directory's files are wrong.
 */
export async function createVersionCheck(directory: string): Promise<(query: Query) => Promise<boolean>> {
  const newest = (await listMigrations(directory)).length
  // A literal, so that it is always the same statement, which may be a prepared one.
  const text = `SELECT version FROM schemaversion WHERE version >= ${newest} LIMIT 1`
  return async (query) => {
    const rows = await emptyWithoutTable(async () => (await query(text)).rows)
    return newest === 0 || rows.length > 0
  }
}
