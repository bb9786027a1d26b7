import { deleteAllExpired, Expiry } from '#lib/cleanup/expired-rows.ts'
import type { Context } from '#lib/context.ts'
import { defineJob } from '#lib/jobs/jobs.ts'

/** The parts that the clean-up needs. */
export interface EventsContext extends Context {
  readonly events: {
    /** Milliseconds for which events are kept. */
    readonly retentionMs: number
  }
}

/** Deletes events that are older than they are kept, taken or not. */
export const purgeEventsJob = defineJob({
  name: 'purge_events',
  cron: '27 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: EventsContext, _data: object, { signal }) => {
    const oldest = ctx.now().getTime() - ctx.events.retentionMs
    const expiry = new Expiry({
      table: 'events',
      key: 'id',
      // By id, which begins with the time, and is indexed.
      condition: `id < '${firstIdOf(oldest)}'`,
      ofTenants: true,
    })
    const rows = await deleteAllExpired(ctx.db, expiry, signal)
    ctx.log.info({ deleted: [{ table: 'events', rows }] }, 'cleaned up')
  },
})

/** The least UUIDv7 of a time. */
export function firstIdOf(timeMs: number): string {
  const hex = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
