import type { Database } from '../database/database.ts'

/** What waits or runs in a queue. */
export interface QueueState {
  queue: string
  /** As pg-boss names it: `created` is a first attempt that waits, `retry` a later one. */
  state: 'created' | 'retry' | 'active'
  jobs: number
  /** How long the one that is due longest has been so, in seconds; 0 when none is. */
  oldest_age: number
}

/** Counts what is not finished, by queue and state. */
export function selectQueueStates(db: Database): Promise<QueueState[]> {
  return db.query<QueueState>({
    name: 'selectQueueStates',
    text: `
      SELECT name AS queue, state::text AS state, count(*)::int AS jobs,
        greatest(0, extract(epoch FROM now() - min(start_after)))::float8 AS oldest_age
      FROM pgboss.job
      WHERE state < 'completed'
      GROUP BY 1, 2`,
  })
}
