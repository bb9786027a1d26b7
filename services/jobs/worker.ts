import type { JobResult, JobWithMetadata, PgBoss } from 'pg-boss'
import type { Context } from '../context.ts'
import type { Database } from '../database/database.ts'
import { connectionOf } from './connection.ts'
import { type JobDefinition, PermanentFailure } from './jobs.ts'

/** How one run ended: done, to be tried again, or given up (in the dead letters). */
export type Outcome = 'completed' | 'retried' | 'dead'

/** What working on jobs needs. */
export interface WorkerOptions<Ctx extends Context> {
  /** The context of one run, which logs with these fields. */
  readonly contextFor: (fields: object) => Ctx
  readonly finished: (queue: string, outcome: Outcome, seconds: number) => void
  /** Seconds between looks at a queue while new jobs are heard of at once; 5 when left out. */
  readonly polling?: number
}

/** What is new is heard of, so this is for what is tried again. */
const POLLING = 5
/** While nothing is heard. */
const POLLING_DEAF = 2

/** Errors are kept in the queue, where operators read them. */
const MAX_MESSAGE = 500

/** Begins to work on a queue's jobs as they come, until the boss stops. */
export async function work<Data extends object, Ctx extends Context>(
  boss: PgBoss,
  job: JobDefinition<Data, Ctx>,
  options: WorkerOptions<Ctx>,
): Promise<void> {
  const { polling = POLLING } = options
  await boss.work(
    job.name,
    {
      notifyPollingIntervalSeconds: polling,
      pollingIntervalSeconds: Math.min(polling, POLLING_DEAF),
      localConcurrency: job.concurrency,
      perJobResults: true,
      includeMetadata: true,
    },
    (rows: JobWithMetadata<Data>[]) => Promise.all(rows.map((row) => run(boss, job, row, options))),
  )
}

async function run<Data extends object, Ctx extends Context>(
  boss: PgBoss,
  job: JobDefinition<Data, Ctx>,
  row: JobWithMetadata<Data>,
  { contextFor, finished }: WorkerOptions<Ctx>,
): Promise<JobResult> {
  const attempt = row.retryCount + 1
  const ctx = contextFor({ queue: job.name, job_id: row.id, attempt })
  const start = performance.now()
  const end = (outcome: Outcome) => finished(job.name, outcome, (performance.now() - start) / 1000)
  try {
    const complete = (db: Database) => completeJob(boss, job.name, row.id, db)
    await job.handler(ctx, row.data, { id: row.id, attempt, signal: row.signal, complete })
    end('completed')
    return { id: row.id, status: 'completed' }
  } catch (error) {
    const output = { message: describe(error) }
    const isDead = error instanceof PermanentFailure || attempt > row.retryLimit
    end(isDead ? 'dead' : 'retried')
    if (isDead) ctx.log.error({ err: error }, 'job given up; it is among the dead letters')
    else ctx.log.warn({ err: error }, 'job failed; it will be tried again')
    return { id: row.id, status: isDead ? 'deadletter' : 'failed', output }
  }
}

async function completeJob(boss: PgBoss, queue: string, id: string, db: Database): Promise<void> {
  const response: object = await boss.complete(queue, id, null, { db: connectionOf(db, 'completeJob') })
  // Its types leave the count out.
  if (!('affected' in response) || response.affected !== 1)
    throw new Error('another worker has ended the job')
}

function describe(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE)
}
