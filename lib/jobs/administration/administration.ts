import type { Database } from '#lib/database/database.ts'
import { DEAD_LETTER } from '../jobs.ts'
import type { JobQueue } from '../queue.ts'
import type { JobActionName, JobPosition, JobRow, JobSelection } from './job-rows.ts'
import { type JobDetailRow, selectJob, selectJobPiece } from './queries.ts'
import { type ActionPiece, countActionable, lockActionable } from './queries-of-actions.ts'

/** Windows that one search looks through; a later one goes on where it ended. */
const MAX_WINDOWS = 2

/** Jobs that are looked at, and so changed at most, in one transaction. */
const ACTION_WINDOW = 1000

/** A page of jobs, and where the next one begins. */
export interface JobSearch {
  readonly jobs: JobRow[]
  readonly next: JobPosition | undefined
}

/**
 * Returns jobs of a selection, those that are due or new first. A search that finds little ends after a number of jobs,
 * with fewer than the limit, and says where it goes on.
 */
export async function searchJobs(
  db: Database,
  names: readonly string[],
  { after, limit, ...selection }: JobSelection & { after?: JobPosition | undefined; limit: number },
): Promise<JobSearch> {
  const found: (JobRow & JobPosition)[] = []
  const queues = queuesOf(names, selection)
  if (queues.length === 0) return { jobs: [], next: undefined }
  let position = after
  for (let window = 1; ; window++) {
    const piece = await selectJobPiece(db, queues, {
      ...selection,
      after: position,
      limit: limit + 1 - found.length,
    })
    found.push(...piece.jobs)
    if (found.length > limit) return pageOf(found.slice(0, limit))
    if (piece.isLast) return { ...pageOf(found), next: undefined }
    position = piece.last
    if (window === MAX_WINDOWS) return { ...pageOf(found), next: position }
  }
}

function pageOf(rows: readonly (JobRow & JobPosition)[]): JobSearch {
  const last = rows.at(-1)
  return { jobs: rows.map(({ at, ...job }) => job), next: last && { at: last.at, id: last.id } }
}

/** The queues of pg-boss that a selection is of: dead letters have one for all. */
function queuesOf(names: readonly string[], { queue, state }: JobSelection): string[] {
  if (state === 'dead') return [DEAD_LETTER]
  const own = queue === undefined ? names : names.filter((name) => name === queue)
  return state === undefined ? [...own, DEAD_LETTER] : [...own]
}

/** Returns a job of any queue, or undefined. */
export function findJob(
  db: Database,
  names: readonly string[],
  id: string,
): Promise<JobDetailRow | undefined> {
  return selectJob(db, [...names, DEAD_LETTER], id)
}

/** The jobs that an action is for: those of a selection, or those with these ids. */
export type ActionTarget = { readonly ids: readonly string[] } | { readonly filter: JobSelection }

function selectionOf(target: ActionTarget): JobSelection & { ids?: readonly string[] } {
  return 'ids' in target ? { ids: target.ids } : target.filter
}

/** How many jobs an action is for, up to a limit. */
export function countJobsFor(
  db: Database,
  names: readonly string[],
  action: JobActionName,
  { target, limit }: { target: ActionTarget; limit: number },
): Promise<number> {
  const selection = selectionOf(target)
  return countActionable(db, queuesOf(names, selection), action, { ...selection, limit })
}

/** How far an action has come; it can be kept, and gone on with by another process. */
export interface ActionProgress {
  /** Queue, and the last of its jobs that was looked at; undefined at the begin. */
  readonly queue?: string | undefined
  readonly after?: JobPosition | undefined
}

/** The jobs that one step of an action has changed, and where the next begins; undefined after the last. */
export interface ActionStep {
  readonly changed: number
  readonly next: ActionProgress | undefined
}

/**
 * Does some of an action, in the transaction of `db`: what is worked on now is left out, and so is what was created since
 * the action began.
 */
export async function stepOfAction(
  db: Database,
  queue: JobQueue,
  names: readonly string[],
  step: { action: JobActionName; target: ActionTarget; progress: ActionProgress; createdUntil: string },
): Promise<ActionStep> {
  const selection = selectionOf(step.target)
  const queues = queuesOf(names, selection).toSorted()
  const current = step.progress.queue ?? queues[0]
  if (current === undefined) return { changed: 0, next: undefined }
  const piece = await lockActionable(db, current, step.action, {
    ...selection,
    until: earlier(selection.until, step.createdUntil),
    after: step.progress.after,
    window: ACTION_WINDOW,
  })
  if (piece.ids.length > 0) await queue.act(db, step.action, current, piece.ids)
  return { changed: piece.ids.length, next: nextOf(piece, current, queues) }
}

function nextOf(piece: ActionPiece, current: string, queues: readonly string[]): ActionProgress | undefined {
  if (!piece.isLast) return { queue: current, after: piece.last }
  const following = queues.find((name) => name > current)
  return following === undefined ? undefined : { queue: following }
}

function earlier(one: string | undefined, other: string): string {
  return one !== undefined && Date.parse(one) < Date.parse(other) ? one : other
}
