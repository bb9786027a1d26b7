import { DEAD_LETTER } from '../jobs.ts'

/** Actions on jobs. */
export type JobActionName = 'retry' | 'cancel' | 'delete'

/** `failed` are given up too; their dead letter is a job of its own. */
export type JobState = 'waiting' | 'retrying' | 'active' | 'completed' | 'cancelled' | 'failed' | 'dead'

/** A job, as a list shows it. */
export interface JobRow {
  id: string
  /** The queue; for a dead letter, the one that it comes from. */
  queue: string
  state: JobState
  created_at: string
  due_at: string
  started_at: string | null
  completed_at: string | null
  attempts: number
  retry_limit: number
  /** Error of the last attempt that failed. */
  error: string | null
  /** Those that its state allows. */
  actions: JobActionName[]
}

/** The jobs that are meant. */
export interface JobSelection {
  readonly queue?: string | undefined
  readonly state?: JobState | undefined
  /** Part of the error's text, in any case. */
  readonly error?: string | undefined
  /** Created at this time or later, and before the other. RFC 3339. */
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** A place in a list. */
export interface JobPosition {
  /** As PostgreSQL writes it, with all of its digits. */
  readonly at: string
  readonly id: string
}

/** A piece of a list, and the last job that was looked at for it. */
export interface JobPiece {
  readonly jobs: (JobRow & JobPosition)[]
  readonly last: JobPosition | undefined
  /** Whether there is nothing after it. */
  readonly isLast: boolean
}

/** The longest error that is shown, in characters. */
const MAX_ERROR = 500

export const STATES = {
  waiting: 'created',
  retrying: 'retry',
  active: 'active',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
  dead: 'created',
} as const

export const IS_DEAD = `j.name = '${DEAD_LETTER}'`
export const ERROR = `(coalesce(j.source_output, j.output) ->> 'message')`

/** Whether an action is for a job. Jobs of a schedule stand for their time, and are not begun again. */
export const ALLOWED: Readonly<Record<JobActionName, string>> = {
  retry: `CASE WHEN ${IS_DEAD} THEN j.state = 'created' AND j.source_name IS NOT NULL
            ELSE (j.state IN ('created', 'retry') AND j.start_after > now())
              OR (j.state = 'cancelled' AND j.singleton_on IS NULL) END`,
  cancel: `NOT ${IS_DEAD} AND j.state IN ('created', 'retry')`,
  delete: `j.state <> 'active'`,
}

export const COLUMNS = `j.id::text AS id,
  CASE WHEN ${IS_DEAD} THEN coalesce(j.source_name, j.name) ELSE j.name END AS queue,
  CASE WHEN ${IS_DEAD} AND j.state = 'created' THEN 'dead' WHEN j.state = 'created' THEN 'waiting'
    WHEN j.state = 'retry' THEN 'retrying' ELSE j.state::text END AS state,
  coalesce(j.source_created_on, j.created_on) AS created_at, j.start_after AS due_at,
  j.started_on AS started_at, j.completed_on AS completed_at,
  CASE WHEN ${IS_DEAD} THEN coalesce(j.source_retry_count, 0) + 1
    WHEN j.state = 'created' OR j.started_on IS NULL THEN j.retry_count ELSE j.retry_count + 1 END AS attempts,
  j.retry_limit, left(${ERROR}, ${MAX_ERROR}) AS error,
  array_remove(ARRAY[CASE WHEN ${ALLOWED.retry} THEN 'retry' END, CASE WHEN ${ALLOWED.cancel} THEN 'cancel' END,
    CASE WHEN ${ALLOWED.delete} THEN 'delete' END], NULL) AS actions`

/** A text as it stands in a pattern of LIKE. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
