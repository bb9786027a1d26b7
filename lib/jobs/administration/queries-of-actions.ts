import type { Database } from '#lib/database/database.ts'
import { onlyRow } from '#lib/database/only-row.ts'
import {
  ALLOWED,
  ERROR,
  escapeLike,
  IS_DEAD,
  type JobActionName,
  type JobPosition,
  type JobSelection,
  STATES,
} from './job-rows.ts'

/** SQL of a selection, whose parameters begin with this one. */
function selected(first: number): string {
  const [error, since, until, state, dead, queue] = [0, 1, 2, 3, 4, 5].map((offset) => `$${first + offset}`)
  return `(${error}::text IS NULL OR ${ERROR} ILIKE ${error})
    AND j.created_on >= ${since}::timestamptz AND j.created_on < ${until}::timestamptz
    AND (${state}::text IS NULL OR (j.state::text = ${state} AND (${IS_DEAD}) = ${dead}))
    AND (${queue}::text IS NULL OR NOT ${IS_DEAD} OR j.source_name = ${queue})`
}

function valuesOf({ queue, state, error, since, until }: JobSelection): unknown[] {
  return [
    error === undefined ? null : `%${escapeLike(error)}%`,
    since ?? '-infinity',
    until ?? 'infinity',
    state === undefined ? null : STATES[state],
    state === 'dead',
    queue ?? null,
  ]
}

/** How many of the selected jobs an action is for, up to a limit. */
export async function countActionable(
  db: Database,
  names: readonly string[],
  action: JobActionName,
  selection: JobSelection & { readonly ids?: readonly string[] | undefined; readonly limit: number },
): Promise<number> {
  const { ids, limit } = selection
  const rows = await db.query<{ jobs: number }>({
    name: 'countActionableJobs',
    prepare: false,
    text: `SELECT count(*)::int AS jobs FROM (
             SELECT FROM pgboss.job j
             WHERE j.name = ANY ($1) AND ($2::uuid[] IS NULL OR j.id = ANY ($2)) AND (${ALLOWED[action]})
               AND ${selected(4)}
             LIMIT $3) found`,
    values: [names, ids ?? null, limit, ...valuesOf(selection)],
  })
  return onlyRow(rows).jobs
}

/** A piece of a queue, in the order in which its jobs were created. */
export interface ActionPiece {
  readonly ids: string[]
  readonly last: JobPosition | undefined
  readonly isLast: boolean
}

/** Selects which of the next jobs of a queue an action is for, and keeps them from workers until the transaction ends. */
export async function lockActionable(
  db: Database,
  name: string,
  action: JobActionName,
  selection: JobSelection & {
    readonly ids?: readonly string[] | undefined
    readonly after?: JobPosition | undefined
    readonly window: number
  },
): Promise<ActionPiece> {
  const { ids, after, window } = selection
  const rows = await db.query<{ id: string | null; last_at: string | null; last_id: string; looked: number }>(
    {
      name: 'lockActionableJobs',
      prepare: false,
      text: `WITH looked AS MATERIALIZED (
             SELECT j.id, j.created_on AS at FROM pgboss.job j
             WHERE j.name = $1 AND ($2::uuid[] IS NULL OR j.id = ANY ($2))
               AND (j.created_on, j.id) > ($4::timestamptz, $5::uuid)
             ORDER BY j.created_on, j.id LIMIT $3
           ), locked AS (
             SELECT j.id::text AS id FROM looked l JOIN pgboss.job j ON j.name = $1 AND j.id = l.id
             WHERE (${ALLOWED[action]}) AND ${selected(6)}
             FOR UPDATE OF j SKIP LOCKED
           )
           SELECT locked.id, e.last_at, e.last_id, (SELECT count(*) FROM looked)::int AS looked
           FROM (SELECT 1) one
           LEFT JOIN LATERAL (SELECT at::text AS last_at, looked.id::text AS last_id FROM looked
             ORDER BY looked.at DESC, looked.id DESC LIMIT 1) e ON true
           LEFT JOIN locked ON true`,
      values: [name, ids ?? null, window, after?.at ?? '-infinity', after?.id, ...valuesOf(selection)],
    },
  )
  const [head] = rows
  return {
    ids: rows.flatMap(({ id }) => (id === null ? [] : [id])),
    last: head?.last_at ? { at: head.last_at, id: head.last_id } : undefined,
    isLast: head === undefined || head.looked < window,
  }
}

/** Has jobs that wait for later be due now. */
export async function hastenJobs(db: Database, name: string, ids: readonly string[]): Promise<void> {
  await db.query({
    name: 'hastenJobs',
    text: `UPDATE pgboss.job SET start_after = now()
           WHERE name = $1 AND id = ANY ($2) AND state IN ('created', 'retry') AND start_after > now()`,
    values: [name, ids],
  })
}
