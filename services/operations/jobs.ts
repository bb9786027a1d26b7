import type { Context } from '#lib/context.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import { BATCH, CLEANED_TABLES, deleteOutdated } from './queries.ts'

/** Deletes what has expired: links, pending registrations, counts of wrong passwords, kept answers, and old sessions. */
export const cleanupJob = defineJob({
  name: 'cleanup',
  cron: '17 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: Context, _data: object, { signal }) => {
    const deleted: { table: string; rows: number }[] = []
    for (const table of CLEANED_TABLES) {
      let rows = 0
      let batch: number
      do {
        signal.throwIfAborted()
        batch = await deleteOutdated(ctx.db, table)
        rows += batch
      } while (batch === BATCH)
      deleted.push({ table, rows })
    }
    ctx.log.info({ deleted }, 'cleaned up')
  },
})
