import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { defineJob, type JobDefinition } from '#lib/jobs/jobs.ts'
import type { CloudEvent } from './envelope.ts'
import * as queries from './queries.ts'
import { isFilter, selects } from './subjects.ts'

/** Longest time that one event may take, in seconds. */
const TIMEOUT_SECONDS = 60

interface ConsumerOptions<Ctx extends Context> {
  /** Names its queue and what it has handled, so renaming it makes another one of it. In snake_case. */
  readonly name: string
  /**
   * Subjects without the prefix: type and organization, `projects.created.<organization>`; `*` stands for one part, `>` for
   * all that follow, as in `projects.>`. Events of people have `platform` for the organization.
   */
  readonly subjects: readonly string[]
  /**
   * Handles an event in a transaction, whose effects are there once, however often the event comes. If it rejects, it is
   * tried again later, and after about a day the event is among the dead letters.
   */
  readonly handler: (ctx: Ctx, event: CloudEvent) => Promise<void>
  /** Events at once in one process; 2 when left out. */
  readonly concurrency?: number
}

/** Somebody in this service who hears of events: a queue of jobs, with the subjects that go into it. */
export type EventConsumer<Ctx = never> = JobDefinition<CloudEvent, Ctx> & {
  readonly subjects: readonly string[]
}

const definitions = new WeakSet<object>()

/**
 * Declares a consumer. What services/<domain>/consumers.ts exports is found by the broker and by the workers themselves.
 *
 * @throws Error for a name or a subject that cannot be
 */
export function defineConsumer<Ctx extends Context>({
  name,
  subjects,
  handler,
  concurrency = 2,
}: ConsumerOptions<Ctx>): EventConsumer<Ctx> {
  const wrong = subjects.find((subject) => !isFilter(subject))
  if (wrong !== undefined || subjects.length === 0) {
    throw new Error(`the consumer ${name} can't have the subjects ${JSON.stringify(subjects)}`)
  }
  const job = defineJob({
    name,
    concurrency,
    timeout: TIMEOUT_SECONDS,
    handler: (ctx: Ctx, event: CloudEvent, run) =>
      transaction(ctx, async (tx) => {
        if (await queries.insertConsumed(tx.db, name, event.id)) await handler(tx, event)
        await run.complete(tx.db)
      }),
  })
  // The same object, by which the workers know it as a job.
  const consumer = Object.assign(job, { subjects })
  definitions.add(consumer)
  return consumer
}

/** Whether a module's export is a consumer. */
export function isConsumer(value: unknown): value is EventConsumer {
  return typeof value === 'object' && value !== null && definitions.has(value)
}

/** Whether a consumer hears of what has a subject. */
export function hears(consumer: EventConsumer, subject: string): boolean {
  return consumer.subjects.some((filter) => selects(filter, subject))
}
