import { transaction } from '#lib/database/database.ts'
import {
  type ActionProgress,
  type ActionTarget,
  stepOfAction,
} from '#lib/jobs/administration/administration.ts'
import { pause } from '#lib/waiting/repeat.ts'
import type { JobAction, JobTarget } from '#schemas/jobs.ts'
import type { OperationsContext } from './context.ts'
import * as queries from './queries.ts'

/** Milliseconds after which a run of the job hands over to another. */
const RUN_MS = 120_000

/** The schema has exactly one of them there. */
export function targetOf({ ids, filter = {} }: JobTarget): ActionTarget {
  return ids === undefined ? { filter } : { ids }
}

/** Does some of an action; returns undefined when it is not running any more. */
export function takeStep(
  ctx: OperationsContext,
  id: string,
  names: readonly string[],
): Promise<JobAction | undefined> {
  return transaction(ctx, async (tx) => {
    await queries.lockSteps(tx.db)
    const current = await queries.lockRunningAction(tx.db, id)
    if (current === undefined) return undefined
    const jobs: JobTarget = JSON.parse(current.selection)
    const progress: ActionProgress = current.position === null ? {} : JSON.parse(current.position)
    const { changed, next } = await stepOfAction(tx.db, ctx.jobs, names, {
      action: current.action,
      target: targetOf(jobs),
      progress,
      // The time is kept in whole milliseconds.
      createdUntil: new Date(Date.parse(current.created_at) + 1).toISOString(),
    })
    const position = next === undefined ? null : JSON.stringify(next)
    return queries.updateJobAction(tx.db, id, { changed, position })
  })
}

/**
 * Goes on with an action, and leaves the database half of the time to others.
 *
 * @returns whether it is done or stopped; otherwise the time of a run is over
 */
export async function carryOn(ctx: OperationsContext, id: string, signal: AbortSignal): Promise<boolean> {
  const begun = performance.now()
  const names = await ctx.jobs.names()
  while (performance.now() - begun < RUN_MS) {
    signal.throwIfAborted()
    const stepBegun = performance.now()
    const action = await takeStep(ctx, id, names)
    if (action?.status !== 'running') return true
    await pause(performance.now() - stepBegun, signal)
  }
  return false
}
