import { deleteAllExpired, findExpiries } from '#lib/cleanup/expired-rows.ts'
import type { Context } from '#lib/context.ts'
import { defineJob } from '#lib/jobs/jobs.ts'

/** Deletes what has expired, as each domain's `expiry.ts` declares it. */
export const cleanupJob = defineJob({
  name: 'cleanup',
  cron: '17 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: Context, _data: object, { signal }) => {
    const deleted: { table: string; rows: number }[] = []
    for (const expiry of await findExpiries()) {
      deleted.push({ table: expiry.table, rows: await deleteAllExpired(ctx.db, expiry, signal) })
    }
    ctx.log.info({ deleted }, 'cleaned up')
  },
})
