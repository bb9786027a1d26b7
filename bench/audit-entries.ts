import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import {
  entryRecorder,
  pendingRecorder,
  personalRecorder,
  type Recordable,
} from '#services/audit/recorders.ts'

/** Writes many entries as the service does, by three statements. */
export async function insertEntries(db: Database, batch: readonly Recordable[]): Promise<void> {
  for (const { insert, types, valuesOf } of [entryRecorder, personalRecorder, pendingRecorder]) {
    const rows = batch.map((occurrence) => valuesOf(occurrence))
    const columns = types.map((type, index) => `$${index + 1}::${type}[]`)
    const values = types.map((_, index) => rows.map((row) => row[index]))
    const text = `${insert} SELECT * FROM unnest(${columns.join(', ')})`
    await new SystemDatabase(db).query({ name: 'fill', text, values, prepare: false })
  }
}
