import { findJob, searchJobs } from '#lib/jobs/administration/administration.ts'
import { redactText, redactValues } from '#lib/log/redaction.ts'
import type { JobDetails, JobPage, ListJobsQuery } from '#schemas/jobs.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import type { OperationsContext } from './context.ts'
import { JobNotFound } from './errors.ts'

/** Between the parts of a position. */
const SEPARATOR = '|'

/**
 * Returns a page of jobs. What is searched for may be far away: then the page is not full, and the next one goes on from
 * there.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OperationsContext,
  actor: Actor,
  { limit, cursor, ...selection }: ListJobsQuery,
): Promise<JobPage> {
  assertAdmin(actor)
  // A place means something in the order of its state alone.
  const name = `jobs:${selection.state ?? ''}`
  const [at = '', id = ''] = cursor === undefined ? [] : ctx.cursors.decode(name, cursor).split(SEPARATOR)
  const after = cursor === undefined ? undefined : { at, id }
  const { jobs, next } = await searchJobs(ctx.db, await ctx.jobs.names(), { ...selection, after, limit })
  return {
    data: jobs.map((job) => ({ ...job, error: job.error === null ? null : redactText(job.error) })),
    next_cursor: next === undefined ? null : ctx.cursors.encode(name, `${next.at}${SEPARATOR}${next.id}`),
  }
}

/**
 * Returns a job with what it is about, without secrets.
 *
 * @throws Forbidden, JobNotFound
 */
export async function get(ctx: OperationsContext, actor: Actor, id: string): Promise<JobDetails> {
  assertAdmin(actor)
  const job = await findJob(ctx.db, await ctx.jobs.names(), id)
  if (job === undefined) throw new JobNotFound()
  const { data, output, error, ...others } = job
  return {
    ...others,
    error: error === null ? null : redactText(error),
    data: withoutSecrets(data),
    output: withoutSecrets(output),
  }
}

function withoutSecrets(value: unknown): string | null {
  return value === null || value === undefined ? null : redactText(JSON.stringify(redactValues(value)))
}
