import { deleteAllExpired, Expiry } from '#lib/cleanup/expired-rows.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import { type EventsContext, firstIdOf } from '#services/events/jobs.ts'

/**
 * Deletes what says that old events were handled. An event can be published as long as it is kept, and stays in a stream
 * as long again.
 */
export const purgeConsumedEventsJob = defineJob({
  name: 'purge_consumed_events',
  cron: '37 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: EventsContext, _data: object, { signal }) => {
    const oldest = ctx.now().getTime() - 2 * ctx.events.retentionMs
    const expiry = new Expiry({
      table: 'consumed_events',
      key: 'event_id, consumer',
      condition: `event_id < '${firstIdOf(oldest)}'`,
    })
    const rows = await deleteAllExpired(ctx.db, expiry, signal)
    ctx.log.info({ deleted: [{ table: 'consumed_events', rows }] }, 'cleaned up')
  },
})
