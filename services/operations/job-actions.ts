import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import { type ActionTarget, countJobsFor } from '#lib/jobs/administration/administration.ts'
import type {
  CreateJobAction,
  JobAction,
  JobActionPage,
  JobActionPreview,
  ListQuery,
  PreviewJobAction,
} from '#schemas/jobs.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { recordAct } from './acts.ts'
import type { OperationsContext } from './context.ts'
import { JobActionNotFound } from './errors.ts'
import { takeStep, targetOf } from './job-action-steps.ts'
import { actOnJobsJob } from './jobs.ts'
import * as queries from './queries.ts'

const LIST = 'job actions'

/** Counting ends here. */
const MAX_COUNT = 1_000_000

/** Jobs that are changed at once, and steps that are taken for it; others are done by a job. */
const MAX_AT_ONCE = 100
const MAX_STEPS_AT_ONCE = 50

/**
 * Returns how many jobs an action would change.
 *
 * @throws Forbidden
 */
export async function preview(
  ctx: OperationsContext,
  actor: Actor,
  { action, jobs }: PreviewJobAction,
): Promise<JobActionPreview> {
  assertAdmin(actor)
  return count(ctx, action, targetOf(jobs))
}

async function count(
  ctx: OperationsContext,
  action: JobAction['action'],
  target: ActionTarget,
): Promise<JobActionPreview> {
  const names = await ctx.jobs.names()
  const found = await countJobsFor(ctx.db, names, action, { target, limit: MAX_COUNT + 1 })
  return { count: Math.min(found, MAX_COUNT), is_capped: found > MAX_COUNT }
}

/**
 * Does something to jobs: to few of them at once, to more by a job that tells how far it is.
 *
 * @throws Forbidden
 */
export async function create(
  ctx: OperationsContext,
  actor: Actor,
  { action, jobs, reason }: CreateJobAction,
): Promise<JobAction> {
  assertAdmin(actor)
  const { count: total } = await count(ctx, action, targetOf(jobs))
  const names = await ctx.jobs.names()
  return transaction(ctx, async (tx) => {
    const id = uuidv7()
    const selection = JSON.stringify(jobs)
    const row = { id, action, selection, reason, requested_by: actor.id, total }
    let current = present(await queries.insertJobAction(tx.db, row))
    const details = { job_action: id, action, jobs, total }
    await recordAct(tx, { operation: 'createJobAction', reason, details })
    for (let step = 0; total <= MAX_AT_ONCE && step < MAX_STEPS_AT_ONCE; step++) {
      current = (await takeStep(tx, id, names)) ?? current
      if (current.status !== 'running') return current
    }
    await ctx.jobs.enqueue(tx.db, actOnJobsJob, { id })
    return current
  })
}

/**
 * Returns an action and how far it is.
 *
 * @throws Forbidden, JobActionNotFound
 */
export async function get(ctx: OperationsContext, actor: Actor, id: string): Promise<JobAction> {
  assertAdmin(actor)
  return present(await queries.selectJobAction(ctx.db, id))
}

/**
 * Returns a page of actions, newest first.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OperationsContext,
  actor: Actor,
  { limit, cursor }: ListQuery,
): Promise<JobActionPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? null : ctx.cursors.decode(LIST, cursor)
  const actions = await queries.selectJobActions(ctx.db, { before, limit: limit + 1 })
  return ctx.cursors.page(LIST, actions, limit)
}

/**
 * Stops an action; what it has done stays done. Nothing happens to one that has ended.
 *
 * @throws Forbidden, JobActionNotFound
 */
export async function stop(
  ctx: OperationsContext,
  actor: Actor,
  id: string,
  reason: string,
): Promise<JobAction> {
  assertAdmin(actor)
  return transaction(ctx, async (tx) => {
    const isStopped = await queries.stopJobAction(tx.db, id)
    const action = present(await queries.selectJobAction(tx.db, id))
    if (isStopped) {
      const details = { job_action: id, done: action.done }
      await recordAct(tx, { operation: 'stopJobAction', reason, details })
    }
    return action
  })
}

function present(action: JobAction | undefined): JobAction {
  if (action === undefined) throw new JobActionNotFound()
  return action
}
