import type { Database } from '#lib/database/database.ts'
import { type QueueState, selectQueueStates } from './queries.ts'

export type { QueueState } from './queries.ts'

/** Counts the unfinished jobs by queue and state; pg-boss's own queues are left out. */
export async function countJobs(db: Database): Promise<QueueState[]> {
  return (await selectQueueStates(db)).filter(({ queue }) => !queue.startsWith('__pgboss'))
}
