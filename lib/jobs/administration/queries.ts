import type { Database } from '#lib/database/database.ts'
import {
  COLUMNS,
  ERROR,
  escapeLike,
  IS_DEAD,
  type JobPiece,
  type JobPosition,
  type JobRow,
  type JobSelection,
  type JobState,
  STATES,
} from './job-rows.ts'

/** Jobs that a search looks at in one statement, of all queues together; pages of lists have fewer. */
export const WINDOW = 3000
export const PAGE = 101

/** The indexes that a list follows (`groundwork_jobs_due`, `job_i16`, `groundwork_jobs_created`), with a time before all. */
const ORDERS = {
  due: { by: 'start_after', direction: 'ASC', first: '-infinity' },
  ended: { by: 'completed_on', direction: 'DESC', first: 'infinity' },
  newest: { by: 'created_on', direction: 'DESC', first: 'infinity' },
} as const

function orderOf(state: JobState | undefined): keyof typeof ORDERS {
  if (state === undefined) return 'newest'
  return state === 'completed' || state === 'cancelled' ? 'ended' : 'due'
}

/** The part of the index that a state is in. */
function partOf(state: JobState | undefined): string {
  switch (orderOf(state)) {
    case 'due':
      return `AND j.state = '${STATES[state ?? 'waiting']}' AND NOT j.blocked`
    case 'ended':
      return 'AND j.completed_on IS NOT NULL'
    case 'newest':
      return 'AND j.created_on >= $4 AND j.created_on < $5'
  }
}

/** Parameters of a piece that stand before the names of the queues. */
const FIXED_PARAMETERS = 8

/**
 * Selects a piece of a list: it looks at no more than so many jobs, in the order of an index, and returns those that match,
 * so that it takes the same time however many there are. PostgreSQL merges the queues as it reads them: for that each has
 * a part of its own, in the order of its index and with an end, while a list of names would be sorted first. Each job is
 * looked up by its key, until there are enough: of a plain join PostgreSQL may make one with all of the table.
 *
 * @param names the queues to look at; at least one
 */
export async function selectJobPiece(
  db: Database,
  names: readonly string[],
  selection: JobSelection & { readonly after?: JobPosition | undefined; readonly limit: number },
): Promise<JobPiece> {
  const { queue, state, error, since, until, after, limit } = selection
  const { by, direction, first } = ORDERS[orderOf(state)]
  const isOfSource = queue !== undefined && (state === undefined || state === 'dead')
  const isSearch = error !== undefined || since !== undefined || until !== undefined || isOfSource
  const window = isSearch || orderOf(state) === 'ended' ? WINDOW : PAGE
  const beyond = direction === 'ASC' ? '>' : '<'
  const parts = names.map(
    (_, index) => `(SELECT j.name, j.id, j.${by} AS at FROM pgboss.job j
          WHERE j.name = $${FIXED_PARAMETERS + 1 + index}
            AND (j.${by}, j.id) ${beyond} ($1::timestamptz, $2::uuid) ${partOf(state)}
          ORDER BY j.${by} ${direction}, j.id ${direction} LIMIT ${window})`,
  )
  const rows = await db.query<
    JobRow & JobPosition & { last_at: string | null; last_id: string; looked: number }
  >({
    name: `selectJobs:${orderOf(state)}`,
    // Planned for its values each time: a plan for any would not know how few rows the window lets through.
    prepare: false,
    text: `
      WITH looked AS MATERIALIZED (
        SELECT f.* FROM (${parts.join(' UNION ALL ')}) f
        ORDER BY f.at ${direction}, f.id ${direction} LIMIT ${window}
      ), matching AS (
        SELECT ${COLUMNS}, l.at::text AS at
        FROM looked l CROSS JOIN LATERAL (
          SELECT k.* FROM pgboss.job k WHERE k.name = l.name AND k.id = l.id LIMIT 1
        ) j
        WHERE ($3::text IS NULL OR ${ERROR} ILIKE $3)
          AND j.created_on >= $4::timestamptz AND j.created_on < $5::timestamptz
          AND ($6::text IS NULL OR j.state::text = $6)
          AND ($7::text IS NULL OR NOT ${IS_DEAD} OR j.source_name = $7)
        ORDER BY l.at ${direction}, l.id ${direction} LIMIT $8
      )
      SELECT m.*, e.last_at, e.last_id, (SELECT count(*) FROM looked)::int AS looked
      FROM (SELECT 1) one
      LEFT JOIN LATERAL (SELECT at::text AS last_at, id::text AS last_id FROM looked
        ORDER BY looked.at ${inverse(direction)}, looked.id ${inverse(direction)} LIMIT 1) e ON true
      LEFT JOIN matching m ON true`,
    values: [
      after?.at ?? first,
      after?.id,
      error === undefined ? null : `%${escapeLike(error)}%`,
      since ?? '-infinity',
      until ?? 'infinity',
      state === undefined ? null : STATES[state],
      queue ?? null,
      limit,
      ...names,
    ],
  })
  const [head] = rows
  const last = head?.last_at ? { at: head.last_at, id: head.last_id } : undefined
  const jobs = rows
    .filter(({ id }) => id !== null)
    .map(({ last_at: _at, last_id: _id, looked: _looked, ...job }) => job)
  return { jobs, last, isLast: head === undefined || head.looked < window }
}

const inverse = (direction: 'ASC' | 'DESC') => (direction === 'ASC' ? 'DESC' : 'ASC')

/** A job with what it is about. */
export interface JobDetailRow extends JobRow {
  data: unknown
  output: unknown
  retry_delay_seconds: number
  timeout_seconds: number
  heartbeat_at: string | null
  keep_until: string
  source_id: string | null
}

/** @param names all queues, by which the key is found */
export async function selectJob(
  db: Database,
  names: readonly string[],
  id: string,
): Promise<JobDetailRow | undefined> {
  const rows = await db.query<JobDetailRow>({
    name: 'selectJob',
    text: `SELECT ${COLUMNS}, j.data, coalesce(j.source_output, j.output) AS output,
             j.retry_delay AS retry_delay_seconds, j.expire_seconds AS timeout_seconds,
             j.heartbeat_on AS heartbeat_at, j.keep_until, j.source_id::text AS source_id
           FROM pgboss.job j WHERE j.name = ANY ($1) AND j.id = $2`,
    values: [names, id],
  })
  return rows[0]
}
