import { exportsOf } from '#lib/discovery/exports-of.ts'
import { isJobDefinition, type JobDefinition } from './jobs.ts'

const SERVICES = new URL('../../services/', import.meta.url)

/** Files of a domain that export jobs: consumers of events are jobs too. */
const FILES = ['jobs.ts', 'consumers.ts']

/**
 * Returns every job that a services/<domain>/jobs.ts or consumers.ts exports.
 *
 * @param services the folder of the domains; the project's own when left out
 * @throws Error when two have one name
 */
export async function findJobs<Ctx>(services = SERVICES): Promise<JobDefinition<object, Ctx>[]> {
  const jobs = new Map<string, JobDefinition<object, Ctx>>()
  const values = await Promise.all(FILES.map((file) => exportsOf(file, [services])))
  for (const value of values.flat()) {
    if (!isJobDefinition<Ctx>(value)) continue
    if (jobs.has(value.name)) throw new Error(`the job ${value.name} is defined twice`)
    jobs.set(value.name, value)
  }
  return [...jobs.values()]
}
