import type { Context } from '#lib/context.ts'
import type { JobQueue } from '#lib/jobs/queue.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'

/** The parts that work on jobs needs. */
export interface OperationsContext extends Context {
  readonly jobs: JobQueue
  readonly cursors: Cursors
}
