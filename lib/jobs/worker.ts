import type { JobResult, JobWithMetadata, PgBoss } from 'pg-boss'
import type { Context } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import type { Span, Tracing } from '#lib/tracing/tracing.ts'
import { connectionOf } from './connection.ts'
import { describeFailure, type JobDefinition, PermanentFailure } from './jobs.ts'
import { Places } from './places.ts'
import { jobAttributes, splitTrace } from './trace-context.ts'

/** How one run ended: done, to be tried again, or given up (in the dead letters). */
export type Outcome = 'completed' | 'retried' | 'dead'

/** The parts that workers need. */
export interface WorkerOptions<Ctx extends Context> {
  /** The context of one run, which logs with these fields. */
  readonly contextFor: (fields: object) => Ctx
  readonly finished: (queue: string, outcome: Outcome, seconds: number) => void
  /** Is told of a job that is given up, within its span. */
  readonly gaveUp?: (queue: string, error: unknown, span: Span | undefined) => void
  readonly tracing?: Tracing | undefined
  /** Seconds between looks of a place that nobody wakes; 60 by default. */
  readonly polling?: number
}

/** Seconds between looks of a place that nobody wakes: announcements do, and what watches for jobs that are due. */
const POLLING_SECONDS = 60

/** Begins to work on a queue's jobs as they come, until the boss stops. Returns the places that it does so in. */
export async function work<Data extends object, Ctx extends Context>(
  boss: PgBoss,
  job: JobDefinition<Data, Ctx>,
  options: WorkerOptions<Ctx>,
): Promise<Places> {
  const { polling = POLLING_SECONDS } = options
  const settings = {
    notifyPollingIntervalSeconds: polling,
    pollingIntervalSeconds: polling,
    ...(job.groupConcurrency === undefined ? {} : { groupConcurrency: job.groupConcurrency }),
    perJobResults: true,
    includeMetadata: true,
  } as const
  const places = new Places(boss)
  // Only a worker that was begun by itself has an id that it can be woken by.
  for (let place = 0; place < job.concurrency; place++) {
    const worker = await boss.work(job.name, settings, async (rows: JobWithMetadata<Data>[]) => {
      places.take(worker)
      try {
        return await Promise.all(rows.map((row) => runTraced(boss, job, row, options)))
      } finally {
        places.release(worker)
      }
    })
    places.free(worker)
  }
  return places
}

/** Runs a job as part of the trace that enqueued it. */
async function runTraced<Data extends object, Ctx extends Context>(
  boss: PgBoss,
  job: JobDefinition<Data, Ctx>,
  row: JobWithMetadata<Data>,
  options: WorkerOptions<Ctx>,
): Promise<JobResult> {
  const { data, carrier: parent } = splitTrace(row.data)
  row.data = data
  if (!options.tracing) return run(boss, job, row, options)
  const attributes = {
    ...jobAttributes(job.name),
    'app.job.id': row.id,
    'app.job.attempt': row.retryCount + 1,
  }
  const span = options.tracing.start({ name: job.name, kind: 'consumer', attributes, parent })
  try {
    return await span.run(() => run(boss, job, row, options, span))
  } finally {
    span.end()
  }
}

async function run<Data extends object, Ctx extends Context>(
  boss: PgBoss,
  job: JobDefinition<Data, Ctx>,
  row: JobWithMetadata<Data>,
  { contextFor, finished, gaveUp }: WorkerOptions<Ctx>,
  span?: Span,
): Promise<JobResult> {
  const attempt = row.retryCount + 1
  const ctx = contextFor({ queue: job.name, job_id: row.id, attempt })
  const start = performance.now()
  const end = (outcome: Outcome) => {
    finished(job.name, outcome, (performance.now() - start) / 1000)
    span?.set({ 'app.job.outcome': outcome })
  }
  try {
    const complete = (db: Database) => completeJob(boss, job.name, row.id, db)
    await job.handler(ctx, row.data, { id: row.id, attempt, signal: row.signal, complete })
    end('completed')
    return { id: row.id, status: 'completed' }
  } catch (error) {
    const output = { message: describeFailure(error) }
    const isDead = error instanceof PermanentFailure || attempt > row.retryLimit
    end(isDead ? 'dead' : 'retried')
    span?.fail({ type: error instanceof Error ? error.constructor.name : typeof error })
    if (isDead) {
      ctx.log.error({ err: error }, 'job given up; it is among the dead letters')
      gaveUp?.(job.name, error, span)
    } else ctx.log.warn({ err: error }, 'job failed; it will be tried again')
    return { id: row.id, status: isDead ? 'deadletter' : 'failed', output }
  }
}

async function completeJob(boss: PgBoss, queue: string, id: string, db: Database): Promise<void> {
  const response: object = await boss.complete(queue, id, null, { db: connectionOf(db, 'completeJob') })
  // Its types leave the count out.
  if (!('affected' in response) || response.affected !== 1)
    throw new Error('another worker has ended the job')
}
