import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { selectCheckpoints } from './verification/queries.ts'

const BATCH_NOTES = 1000

/** The signed notes of all checkpoints, in their order. */
export async function allNotes(ctx: Pick<Context, 'db'>): Promise<string[]> {
  const db = new SystemDatabase(ctx.db)
  const notes: string[] = []
  for (let after = 0; ; ) {
    const rows = await selectCheckpoints(db, after, BATCH_NOTES)
    notes.push(...rows.map(({ note }) => note))
    if (rows.length < BATCH_NOTES) return notes
    after = rows.at(-1)?.number ?? after
  }
}
