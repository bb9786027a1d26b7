import { deleteAllExpired, Expiry } from '#lib/cleanup/expired-rows.ts'
import type { Context } from '#lib/context.ts'
import { defineJob } from '#lib/jobs/jobs.ts'

/** The parts that the clean-up needs. */
export interface RealtimeJobsContext extends Context {
  readonly realtimeHistoryMs: number
}

/** Deletes messages that are older than they are kept, and channels that nobody has used for a month. */
export const purgeRealtimeJob = defineJob({
  name: 'purge_realtime',
  cron: '*/5 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: RealtimeJobsContext, _data: object, { signal }) => {
    const seconds = Math.ceil(ctx.realtimeHistoryMs / 1000)
    const messages = await deleteAllExpired(
      ctx.db,
      new Expiry({
        table: 'realtime_messages',
        key: 'seq',
        condition: `published_at < now() - interval '${seconds} seconds'`,
        ofTenants: true,
      }),
      signal,
    )
    const channels = await deleteAllExpired(
      ctx.db,
      new Expiry({
        table: 'realtime_channels',
        key: 'name',
        condition: "touched_at < now() - interval '30 days'",
        ofTenants: true,
      }),
      signal,
    )
    const deleted = [
      { table: 'realtime_messages', rows: messages },
      { table: 'realtime_channels', rows: channels },
    ]
    ctx.log.info({ deleted }, 'cleaned up')
  },
})
