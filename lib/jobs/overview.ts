import type { Database } from '#lib/database/database.ts'
import { countDead, type JobFilter, type ListedJob, selectJobs } from './queries.ts'
import { countJobs } from './statistics.ts'

export type { JobFilter, ListedJob } from './queries.ts'

/** Contents of one queue. */
export interface QueueOverview {
  readonly queue: string
  readonly waiting: number
  readonly retrying: number
  readonly active: number
  /** Given up, and among the dead letters. */
  readonly dead: number
  /** Seconds for which the job that is due longest has been so; 0 when none is due. */
  readonly oldest_age: number
}

/** Sums up each of the queues, by name. */
export async function overview(db: Database, names: readonly string[]): Promise<QueueOverview[]> {
  const [states, dead] = await Promise.all([countJobs(db), countDead(db)])
  return names.toSorted().map((queue) => {
    const mine = states.filter((row) => row.queue === queue)
    const count = (state: string) => mine.find((row) => row.state === state)?.jobs ?? 0
    const due = mine.filter(({ state }) => state !== 'active').map(({ oldest_age }) => oldest_age)
    return {
      queue,
      waiting: count('created'),
      retrying: count('retry'),
      active: count('active'),
      dead: dead.find((row) => row.queue === queue)?.jobs ?? 0,
      oldest_age: Math.max(0, ...due),
    }
  })
}

/** Lists unfinished jobs and dead letters, oldest first. */
export function listJobs(db: Database, filter: JobFilter): Promise<ListedJob[]> {
  return selectJobs(db, filter)
}
