import type { Database } from '#lib/database/database.ts'
import { DEAD_LETTER } from './jobs.ts'

/** Waiting and running jobs of a queue. */
export interface QueueState {
  queue: string
  /** As pg-boss names it: `created` is a first attempt that waits, `retry` a later one. */
  state: 'created' | 'retry' | 'active'
  jobs: number
  /** How long the one that is due longest has been so, in seconds; 0 when none is. */
  oldest_age: number
}

/** An unfinished job, or one that was given up. */
export interface ListedJob {
  id: string
  /** The queue; for a dead letter, the one that it comes from. */
  queue: string
  state: 'waiting' | 'retrying' | 'active' | 'dead'
  /** Seconds since it was enqueued. */
  age: number
  attempts: number
  /** Error of the last attempt that failed. */
  error: string | null
}

/** The jobs to list. */
export interface JobFilter {
  readonly queue?: string | undefined
  readonly state?: ListedJob['state'] | undefined
  readonly limit: number
}

/** pg-boss's own queues, which nobody asks about. */
const OWN_QUEUES = '\\_\\_pgboss%'

/** The longest error that is listed, in characters. */
const MAX_ERROR = 500

/** Lists jobs, oldest first. */
export function selectJobs(db: Database, { queue, state, limit }: JobFilter): Promise<ListedJob[]> {
  return db.query<ListedJob>({
    name: 'selectJobs',
    text: `
      WITH listed AS (
        SELECT id::text, name = $1 AS is_dead, state, coalesce(source_created_on, created_on) AS since,
          CASE name WHEN $1 THEN coalesce(source_name, name) ELSE name END AS queue,
          CASE WHEN name = $1 THEN coalesce(source_retry_count, 0) + 1
            WHEN state = 'created' THEN 0 ELSE retry_count + 1 END AS attempts,
          left(coalesce(source_output, output) ->> 'message', $2) AS error
        FROM pgboss.job
        WHERE state < 'completed' AND name NOT LIKE $3
      ), named AS (
        SELECT *, CASE WHEN is_dead THEN 'dead' WHEN state = 'created' THEN 'waiting'
          WHEN state = 'retry' THEN 'retrying' ELSE 'active' END AS label
        FROM listed
      )
      SELECT id, queue, label AS state, attempts, error,
        greatest(0, extract(epoch FROM now() - since))::float8 AS age
      FROM named
      WHERE ($4::text IS NULL OR queue = $4) AND ($5::text IS NULL OR label = $5)
      ORDER BY since, id
      LIMIT $6`,
    values: [DEAD_LETTER, MAX_ERROR, OWN_QUEUES, queue ?? null, state ?? null, limit],
  })
}

/** How many dead letters each queue has. */
export function countDead(db: Database): Promise<{ queue: string; jobs: number }[]> {
  return db.query({
    name: 'countDeadLetters',
    text: `SELECT coalesce(source_name, name) AS queue, count(*)::int AS jobs FROM pgboss.job
           WHERE name = $1 AND state < 'completed' GROUP BY 1`,
    values: [DEAD_LETTER],
  })
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

/** Those of the queues that have a job which is due. */
export async function selectDueQueues(db: Database, names: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'selectDueQueues',
    text: `SELECT q.name FROM unnest($1::text[]) AS q (name)
           WHERE EXISTS (SELECT FROM pgboss.job j
                         WHERE j.name = q.name AND j.state < 'active' AND NOT j.blocked AND j.start_after <= now())`,
    values: [names],
  })
  return rows.map(({ name }) => name)
}

/** The queues whose jobs no worker begins. */
export async function selectPausedQueues(db: Database): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'selectPausedQueues',
    text: 'SELECT name FROM paused_queues ORDER BY name',
  })
  return rows.map(({ name }) => name)
}

export async function insertPausedQueue(db: Database, name: string): Promise<void> {
  await db.query({
    name: 'insertPausedQueue',
    text: 'INSERT INTO paused_queues (name) VALUES ($1) ON CONFLICT DO NOTHING',
    values: [name],
  })
}

export async function deletePausedQueue(db: Database, name: string): Promise<void> {
  await db.query({
    name: 'deletePausedQueue',
    text: 'DELETE FROM paused_queues WHERE name = $1',
    values: [name],
  })
}

/** An index of the table of jobs. */
export interface IndexState {
  readonly name: string
  /** False when its build was interrupted; null when there is no such index. */
  readonly is_valid: boolean | null
  /** Whether an index of the table is being built now. */
  readonly is_being_built: boolean
}

export function selectIndexStates(db: Database, names: readonly string[]): Promise<IndexState[]> {
  return db.query<IndexState>({
    name: 'selectJobIndexStates',
    text: `
      SELECT wanted.name, i.indisvalid AS is_valid,
        EXISTS (SELECT FROM pg_stat_progress_create_index
                WHERE relid = to_regclass('pgboss.job_common') AND datname = current_database()) AS is_being_built
      FROM unnest($1::text[]) AS wanted (name)
      LEFT JOIN pg_index i ON i.indexrelid = to_regclass('pgboss.' || wanted.name)`,
    values: [names],
  })
}
