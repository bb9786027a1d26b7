import type { PgBoss, Queue } from 'pg-boss'
import type { Database } from '#lib/database/database.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import type { Tracing } from '#lib/tracing/tracing.ts'
import type { JobActionName } from './administration/job-rows.ts'
import { hastenJobs } from './administration/queries-of-actions.ts'
import { HEARTBEAT_SECONDS } from './boss.ts'
import { connectionOf } from './connection.ts'
import { DEAD_LETTER, type EnqueueOptions, type JobDefinition, type Jobs } from './jobs.ts'
import { jobAttributes, withTrace } from './trace-context.ts'

const DAY_SECONDS = 24 * 60 * 60

/** Dead letters that one statement moves. */
const REDRIVE_BATCH = 1000

/** Seconds after which a caller may try again while the queues are not ready. */
const RETRY_AFTER_SECONDS = 5

/** When a job runs by itself. */
export interface JobSchedule {
  readonly queue: string
  /** Five fields, UTC. */
  readonly cron: string
  readonly next_at: string | null
  readonly last_job_id: string | null
}

/** The queues of pg-boss. */
export class JobQueue implements Jobs {
  readonly #boss: PgBoss
  readonly #tracing: Tracing | undefined
  #ready = false

  constructor(boss: PgBoss, tracing?: Tracing) {
    this.#boss = boss
    this.#tracing = tracing
  }

  /**
   * Makes pg-boss's schema, the queues and, for a worker, the schedules, or brings them up to date.
   *
   * @throws what the driver throws
   */
  async start(jobs: readonly JobDefinition<never>[], options: { schedules: boolean }): Promise<void> {
    await this.#boss.start()
    // All in one question: there are dozens, and each start asks.
    const existing = new Map((await this.#boss.getQueues()).map((queue) => [queue.name, queue]))
    const prepare = (name: string, wanted: Omit<Queue, 'name'>) =>
      this.#prepare(existing.get(name), name, wanted)
    await prepare(DEAD_LETTER, {})
    for (const job of jobs) await prepare(job.name, queueOptions(job))
    if (options.schedules) await this.#schedule(jobs)
    this.#ready = true
  }

  async enqueue<Data extends object>(
    db: Database,
    job: JobDefinition<Data>,
    data: Data,
    options: EnqueueOptions = {},
  ): Promise<void> {
    await this.#traced(job.name, async () => {
      const traced = withTrace(data, this.#tracing?.carrier())
      await this.#boss.send(job.name, traced, { ...grouped(options), db: connectionOf(db, 'enqueueJob') })
    })
  }

  async enqueueAll<Data extends object>(
    db: Database,
    job: JobDefinition<Data>,
    entries: readonly (EnqueueOptions & { readonly data: Data })[],
  ): Promise<void> {
    if (entries.length === 0) return
    await this.#traced(job.name, async () => {
      const carrier = this.#tracing?.carrier()
      const list = entries.map(({ data, ...options }) => ({
        ...grouped(options),
        data: withTrace(data, carrier),
      }))
      await this.#boss.insert(job.name, list, { db: connectionOf(db, 'enqueueJob') })
    })
  }

  /** @throws DatabaseUnavailable while the queues are not ready */
  async #traced(name: string, enqueue: () => Promise<void>): Promise<void> {
    if (!this.#ready) throw new DatabaseUnavailable({ retryAfter: RETRY_AFTER_SECONDS })
    if (this.#tracing) await this.#tracing.trace(`enqueue ${name}`, 'producer', jobAttributes(name), enqueue)
    else await enqueue()
  }

  /** The names of all queues that jobs are enqueued in, also those of other versions. */
  async names(): Promise<string[]> {
    const queues = await this.#boss.getQueues()
    return queues
      .map(({ name }) => name)
      .filter((name) => name !== DEAD_LETTER && !name.startsWith('__pgboss'))
  }

  /**
   * Puts dead letters back into their queues, to be tried again from the start.
   *
   * @param name of the queue that they come from; all when left out
   * @returns how many there were
   */
  async retryDead(name?: string): Promise<number> {
    const options = name === undefined ? {} : { sourceName: name }
    let total = 0
    let moved: number
    do {
      moved = await this.#boss.redrive(DEAD_LETTER, { ...options, limit: REDRIVE_BATCH })
      total += moved
    } while (moved === REDRIVE_BATCH)
    return total
  }

  /**
   * Does something to jobs of a queue, in the transaction of `db`, which has locked them: retried ones are due now, and
   * a dead letter goes back into the queue that it comes from.
   */
  async act(db: Database, action: JobActionName, name: string, ids: readonly string[]): Promise<void> {
    const [list, options] = [[...ids], { db: connectionOf(db, 'changeJobs') }]
    if (action === 'cancel') await this.#boss.cancel(name, list, options)
    else if (action === 'delete') await this.#boss.deleteJob(name, list, options)
    else if (name === DEAD_LETTER) {
      await this.#boss.redrive(name, { ids: list, limit: list.length, ...options })
    } else {
      await this.#boss.resume(name, list, options)
      await hastenJobs(db, name, ids)
    }
  }

  /** When jobs run by themselves, by the name of their queue. */
  async schedules(): Promise<JobSchedule[]> {
    const schedules = await this.#boss.getSchedules()
    return schedules
      .map(({ name, cron, lastJobId }) => {
        const [next] = this.#boss.previewSchedule(cron, { tz: 'UTC', count: 1 })
        return { queue: name, cron, next_at: next?.toISOString() ?? null, last_job_id: lastJobId }
      })
      .toSorted((one, other) => (one.queue < other.queue ? -1 : 1))
  }

  /** Enqueues the job of a schedule now, with the data that the schedule has, and returns its id. */
  async runNow(db: Database, name: string): Promise<string> {
    const id = await this.#boss.send(name, {}, { db: connectionOf(db, 'enqueueJob') })
    if (id === null) throw new Error(`the queue ${name} took no job`)
    return id
  }

  /** The schedules of the whole fleet become those of this version. */
  async #schedule(jobs: readonly JobDefinition<never>[]): Promise<void> {
    const wanted = new Map(jobs.flatMap(({ name, cron }) => (cron === undefined ? [] : [[name, cron]])))
    for (const { name, cron, timezone, options } of await this.#boss.getSchedules()) {
      if (!wanted.has(name)) await this.#boss.unschedule(name)
      else if (cron === wanted.get(name) && timezone === 'UTC' && options?.missed === 'once')
        wanted.delete(name)
    }
    for (const [name, cron] of wanted) {
      await this.#boss.schedule(name, cron, {}, { tz: 'UTC', missed: 'once' })
    }
  }

  async #prepare(existing: Queue | undefined, name: string, options: Omit<Queue, 'name'>): Promise<void> {
    if (existing === undefined) {
      await this.#boss.createQueue(name, options)
    } else if (Object.entries(options).some(([key, value]) => existing[key as keyof Queue] !== value)) {
      await this.#boss.updateQueue(name, options)
    }
  }
}

function queueOptions(job: JobDefinition<never>): Omit<Queue, 'name'> {
  return {
    retryLimit: job.retryLimit,
    retryDelay: job.retryDelay,
    retryBackoff: true,
    retryDelayMax: job.retryDelayMax,
    expireInSeconds: job.timeout,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    retentionSeconds: 14 * DAY_SECONDS,
    deleteAfterSeconds: DAY_SECONDS,
    deadLetter: DEAD_LETTER,
    notify: true,
  }
}

/** The options of a job as pg-boss has them. */
function grouped({ group, ...options }: EnqueueOptions) {
  return group === undefined ? options : { ...options, group: { id: group } }
}
