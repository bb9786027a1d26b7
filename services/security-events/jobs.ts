import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import { recordEarlier } from '#services/audit/records.ts'
import { deleteSecurityEvents, type EarlierEvent } from './queries.ts'

/** Events that one transaction moves. */
const BATCH_ROWS = 200

/** Kinds whose `user_id` is not the one who acted but the account that it is about. */
const ABOUT_THE_USER = new Set(['refresh_token_reused', 'sessions_ended_by_admin', 'user_changed_by_admin'])

/**
 * Moves what versions before wrote to `security_events` into the audit log, which has told the same since. It runs for as
 * long as there may be such a version beside this one (docs/decisions/099).
 */
export const moveSecurityEventsJob = defineJob({
  name: 'move_security_events',
  cron: '*/10 * * * *',
  retryLimit: 0,
  concurrency: 1,
  handler: async (ctx: Context, _data: object, { signal }) => {
    let moved = 0
    let batch: number
    do {
      signal.throwIfAborted()
      batch = await moveBatch(ctx)
      moved += batch
    } while (batch === BATCH_ROWS)
    if (moved > 0) ctx.log.info({ moved }, 'moved security events into the audit log')
  },
})

function moveBatch(ctx: Context): Promise<number> {
  return transaction(ctx, async (tx) => {
    const events = await deleteSecurityEvents(tx.db, BATCH_ROWS)
    for (const event of events) await recordEarlier(tx, entryOf(event))
    return events.length
  })
}

function entryOf({ id, kind, user_id, session_id, api_key_id, ip, user_agent }: EarlierEvent) {
  const isActor = user_id !== null && !ABOUT_THE_USER.has(kind)
  return {
    id,
    action: `security_events.${kind}`,
    actor: isActor ? ({ kind: 'user', id: user_id } as const) : ({ kind: 'anonymous', id: null } as const),
    target: api_key_id === null ? { type: 'user', id: user_id } : { type: 'api_key', id: api_key_id },
    details: session_id === null ? {} : { session_id },
    client: { ip, userAgent: user_agent },
  }
}
