import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { intakeRecorder, type Recordable } from '#services/audit/recorders.ts'

/** Writes many entries as the service does, by one statement. */
export async function insertEntries(db: Database, batch: readonly Recordable[]): Promise<void> {
  const { insert, types } = intakeRecorder
  const rows = batch.map((occurrence) => intakeRecorder.valuesOf(occurrence))
  const columns = types.map((type, index) => `$${index + 1}::${type}[]`)
  const values = types.map((_, index) => rows.map((row) => row[index]))
  const text = `${insert} SELECT * FROM unnest(${columns.join(', ')})`
  await new SystemDatabase(db).query({ name: 'fill', text, values, prepare: false })
}
