import { transaction } from '#lib/database/database.ts'
import { overview } from '#lib/jobs/overview.ts'
import { pausedQueues, pauseQueue, resumeQueue } from '#lib/jobs/pauses.ts'
import type { EnqueuedJob, ListQuery, Queue, QueuePage, SchedulePage } from '#schemas/jobs.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { recordAct } from './acts.ts'
import type { OperationsContext } from './context.ts'
import { QueueNotFound, ScheduleNotFound } from './errors.ts'

const QUEUES = 'queues'
const SCHEDULES = 'schedules'

/**
 * Returns a page of the queues, by name.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OperationsContext,
  actor: Actor,
  { limit, cursor }: ListQuery,
): Promise<QueuePage> {
  assertAdmin(actor)
  const after = cursor === undefined ? '' : ctx.cursors.decode(QUEUES, cursor)
  const names = (await ctx.jobs.names()).toSorted().filter((name) => name > after)
  const queues = await describe(ctx, names.slice(0, limit + 1))
  return ctx.cursors.pageBy(QUEUES, queues, limit, ({ name }) => name)
}

async function describe(ctx: OperationsContext, names: readonly string[]): Promise<Queue[]> {
  const [counts, paused, schedules] = await Promise.all([
    overview(ctx.db, names),
    pausedQueues(ctx.db),
    ctx.jobs.schedules(),
  ])
  return counts.map(({ queue: name, oldest_age, ...states }) => ({
    name,
    ...states,
    oldest_due_seconds: oldest_age,
    is_paused: paused.includes(name),
    cron: schedules.find((schedule) => schedule.queue === name)?.cron ?? null,
  }))
}

/**
 * Pauses a queue, or has it go on: workers see it within a second, and finish what they have begun.
 *
 * @throws Forbidden, QueueNotFound
 */
export async function setPaused(
  ctx: OperationsContext,
  actor: Actor,
  name: string,
  { paused, reason }: { paused: boolean; reason: string },
): Promise<Queue> {
  assertAdmin(actor)
  if (!(await ctx.jobs.names()).includes(name)) throw new QueueNotFound()
  await transaction(ctx, async (tx) => {
    await (paused ? pauseQueue : resumeQueue)(tx.db, name)
    const operation = paused ? 'pauseQueue' : 'resumeQueue'
    await recordAct(tx, { operation, reason, details: { queue: name } })
  })
  const [queue] = await describe(ctx, [name])
  if (queue === undefined) throw new QueueNotFound()
  return queue
}

/**
 * Returns a page of the jobs that run by themselves, by the name of their queue.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function listSchedules(
  ctx: OperationsContext,
  actor: Actor,
  { limit, cursor }: ListQuery,
): Promise<SchedulePage> {
  assertAdmin(actor)
  const after = cursor === undefined ? '' : ctx.cursors.decode(SCHEDULES, cursor)
  const schedules = (await ctx.jobs.schedules()).filter(({ queue }) => queue > after)
  return ctx.cursors.pageBy(SCHEDULES, schedules, limit, ({ queue }) => queue)
}

/**
 * Enqueues the job of a schedule now.
 *
 * @throws Forbidden, ScheduleNotFound
 */
export async function runSchedule(
  ctx: OperationsContext,
  actor: Actor,
  queue: string,
  reason: string,
): Promise<EnqueuedJob> {
  assertAdmin(actor)
  const schedules = await ctx.jobs.schedules()
  if (!schedules.some((schedule) => schedule.queue === queue)) throw new ScheduleNotFound()
  return transaction(ctx, async (tx) => {
    const job_id = await ctx.jobs.runNow(tx.db, queue)
    await recordAct(tx, { operation: 'runScheduleNow', reason, details: { queue, job_id } })
    return { job_id }
  })
}
