import { deleteAllExpired, findExpiries } from '#lib/cleanup/expired-rows.ts'
import type { Context } from '#lib/context.ts'
import { defineJob, type JobDefinition } from '#lib/jobs/jobs.ts'
import type { OperationsContext } from './context.ts'
import { carryOn } from './job-action-steps.ts'

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

/** Does to many jobs what an admin asked for; what takes long is done by one run after the other. */
export const actOnJobsJob: JobDefinition<{ id: string }, OperationsContext> = defineJob({
  name: 'act_on_jobs',
  retryDelay: 1,
  handler: async (ctx: OperationsContext, { id }: { id: string }, { signal }) => {
    const isDone = await carryOn(ctx, id, signal)
    if (!isDone) await ctx.jobs.enqueue(ctx.db, actOnJobsJob, { id })
  },
})
