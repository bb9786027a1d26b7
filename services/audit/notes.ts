import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import { type CheckpointRow, selectCheckpoints } from './verification/queries.ts'

const BATCH_NOTES = 1000

/** The signed notes of all checkpoints, in their order. */
export async function allNotes(ctx: Pick<Context, 'db'>): Promise<string[]> {
  const db = new SystemDatabase(ctx.db)
  const notes: string[] = []
  const read = (last: CheckpointRow | undefined, limit: number) =>
    selectCheckpoints(db, last?.number ?? 0, limit)
  for await (const rows of inBatches(BATCH_NOTES, read)) notes.push(...rows.map(({ note }) => note))
  return notes
}
