import type { Database } from '#lib/database/database.ts'
import type { JobAction } from '#schemas/jobs.ts'

const COLUMNS = 'id, action, selection, reason, requested_by, status, total, done, created_at, finished_at'

export interface NewJobAction {
  readonly id: string
  readonly action: JobAction['action']
  readonly selection: string
  readonly reason: string
  readonly requested_by: string
  readonly total: number
}

export async function insertJobAction(db: Database, action: NewJobAction): Promise<JobAction | undefined> {
  const rows = await db.query<JobAction>({
    name: 'insertJobAction',
    text: `INSERT INTO job_actions (id, action, selection, reason, requested_by, status, total)
           VALUES ($1, $2, $3, $4, $5, 'running', $6) RETURNING ${COLUMNS}`,
    values: [action.id, action.action, action.selection, action.reason, action.requested_by, action.total],
  })
  return rows[0]
}

/** An action with its place. */
export interface StoredJobAction extends JobAction {
  position: string | null
}

/**
 * Has the steps of all actions follow each other until the transaction ends: what one works on is left out by those beside
 * it, which would end without it.
 */
export async function lockSteps(db: Database): Promise<void> {
  await db.query({
    name: 'lockJobActionSteps',
    text: "SELECT pg_advisory_xact_lock(hashtextextended('job_actions', 0))",
  })
}

/** Returns an action that is not done, and locks it until the transaction ends. */
export async function lockRunningAction(db: Database, id: string): Promise<StoredJobAction | undefined> {
  const rows = await db.query<StoredJobAction>({
    name: 'lockRunningAction',
    text: `SELECT ${COLUMNS}, position FROM job_actions WHERE id = $1 AND status = 'running' FOR UPDATE`,
    values: [id],
  })
  return rows[0]
}

/** Notes what was done; without a place to go on from, the action is finished. */
export async function updateJobAction(
  db: Database,
  id: string,
  { changed, position }: { changed: number; position: string | null },
): Promise<JobAction | undefined> {
  const rows = await db.query<JobAction>({
    name: 'updateJobAction',
    text: `UPDATE job_actions SET done = done + $2, position = $3,
             status = CASE WHEN $3::text IS NULL THEN 'finished' ELSE status END,
             finished_at = CASE WHEN $3::text IS NULL THEN now() END
           WHERE id = $1 RETURNING ${COLUMNS}`,
    values: [id, changed, position],
  })
  return rows[0]
}

export async function stopJobAction(db: Database, id: string): Promise<boolean> {
  const rows = await db.query({
    name: 'stopJobAction',
    text: `UPDATE job_actions SET status = 'stopped', finished_at = now()
           WHERE id = $1 AND status = 'running' RETURNING id`,
    values: [id],
  })
  return rows.length > 0
}

export async function selectJobAction(db: Database, id: string): Promise<JobAction | undefined> {
  const rows = await db.query<JobAction>({
    name: 'selectJobAction',
    text: `SELECT ${COLUMNS} FROM job_actions WHERE id = $1`,
    values: [id],
  })
  return rows[0]
}

/** Newest first. */
export function selectJobActions(
  db: Database,
  { before, limit }: { before: string | null; limit: number },
): Promise<JobAction[]> {
  return db.query<JobAction>({
    name: 'selectJobActions',
    text: `SELECT ${COLUMNS} FROM job_actions WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
    values: [before, limit],
  })
}
