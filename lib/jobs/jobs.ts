import type { Database } from '#lib/database/database.ts'
import type { LogModule } from '#schemas/log-levels.ts'

/** One run of a job, as its handler sees it. */
export interface JobRun {
  /** The same for every attempt. */
  readonly id: string
  /** 1 for the first. */
  readonly attempt: number
  /** Aborted when the run has taken its time, or the process has to end. */
  readonly signal: AbortSignal
  /**
   * Ends the job as part of a transaction, so that the transaction's work is done exactly once, whenever the worker
   * dies.
   *
   * @throws Error when another worker has ended it already, which undoes the transaction
   */
  complete(db: Database): Promise<void>
}

interface JobOptions<Data extends object, Ctx> {
  /** Names the queue, in metrics and logs too. Renaming it leaves the jobs under the old name behind. */
  readonly name: string
  /**
   * Does the work. It runs at least once, so repeating it must be harmless. If it rejects, it
   * runs again later, except after a PermanentFailure.
   *
   * @param data as JSON brought it back: no dates, no undefined; perhaps enqueued by an older version
   */
  readonly handler: (ctx: Ctx, data: Data, run: JobRun) => Promise<void>
  /** Whether this process can do such work at all; otherwise the jobs wait for one that can. */
  readonly canRun?: (ctx: Ctx) => boolean
  /** How often it is retried. */
  readonly retryLimit?: number
  /** Seconds before the second attempt; doubled (with jitter) before each one after it. */
  readonly retryDelay?: number
  /** Seconds that the doubling stops at. */
  readonly retryDelayMax?: number
  /** Seconds that one run may take. */
  readonly timeout?: number
  /** Runs at once in one process. */
  readonly concurrency?: number
  /** Runs at once, in all processes together, of jobs that have the same group; without it, groups mean nothing. */
  readonly groupConcurrency?: number
  /** The log module of its runs; `jobs` by default. */
  readonly module?: LogModule
  /** When to run by itself, in cron's five fields, UTC: once across all processes, with empty data. */
  readonly cron?: string
}

/** A kind of work that is done later, by any free worker. */
export type JobDefinition<Data extends object, Ctx = never> = Required<
  Omit<JobOptions<Data, Ctx>, 'cron' | 'canRun' | 'groupConcurrency'>
> &
  Pick<JobOptions<Data, Ctx>, 'cron' | 'canRun' | 'groupConcurrency'>

export interface EnqueueOptions {
  /** Not before this time. */
  readonly startAfter?: Date
  /** Those with whom it shares the job's `groupConcurrency`. */
  readonly group?: string
}

/** The queue for work to be done later. */
export interface Jobs {
  /**
   * Enqueues a job over `db`: inside `transaction(ctx, ...)` with the transaction's database, so that it
   * exists exactly if what caused it does.
   *
   * @param data becomes JSON, and is readable in the database: no secrets
   * @throws DatabaseUnavailable
   */
  enqueue<Data extends object>(
    db: Database,
    job: JobDefinition<Data>,
    data: NoInfer<Data>,
    options?: EnqueueOptions,
  ): Promise<void>
  /**
   * Enqueues several jobs of a kind by one statement.
   *
   * @throws DatabaseUnavailable
   */
  enqueueAll<Data extends object>(
    db: Database,
    job: JobDefinition<Data>,
    entries: readonly (EnqueueOptions & { readonly data: NoInfer<Data> })[],
  ): Promise<void>
}

/** Thrown by a handler when trying again cannot help: the job goes to the dead letters at once. */
export class PermanentFailure extends Error {
  override name = 'PermanentFailure'
}

/** Errors are kept in the database, where operators read them. */
const MAX_MESSAGE_CHARACTERS = 500

/** Returns an error in words that may be kept. */
export function describeFailure(error: unknown): string {
  // What PostgreSQL says may quote rows; the log has the rest.
  if (error instanceof Error && 'severity' in error && 'code' in error) return `database error ${error.code}`
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE_CHARACTERS)
}

/** The queue of those who were tried too often. Nobody works on it; operators look at it. */
export const DEAD_LETTER = 'dead_letter'

const definitions = new WeakSet<object>()

/**
 * Declares a job. What services/<domain>/jobs.ts exports is found by the workers themselves (plugins/infrastructure/jobs/).
 *
 * @throws Error for a name that is not in snake_case
 */
export function defineJob<Data extends object, Ctx>(
  options: JobOptions<Data, Ctx>,
): JobDefinition<Data, Ctx> {
  if (!/^[a-z][a-z0-9_]*$/.test(options.name) || options.name === DEAD_LETTER) {
    throw new Error(`a job can't be named ${options.name}`)
  }
  const definition = {
    retryLimit: 10,
    retryDelay: 5,
    retryDelayMax: 3600,
    timeout: 300,
    concurrency: 2,
    module: 'jobs' as const,
    ...options,
  }
  definitions.add(definition)
  return definition
}

/** Whether a module's export is a job. */
export function isJobDefinition<Ctx>(value: unknown): value is JobDefinition<object, Ctx> {
  return typeof value === 'object' && value !== null && definitions.has(value)
}
