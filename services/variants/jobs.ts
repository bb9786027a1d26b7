import { defineJob } from '#lib/jobs/jobs.ts'
import type { VariantsContext } from './context.ts'
import { make, type Task } from './making.ts'

/** Makes a smaller copy of an image that somebody has asked for. */
export const makeVariantJob = defineJob({
  name: 'make_variant',
  retryLimit: 5,
  timeout: 60,
  concurrency: 1,
  // Another process may have what it takes.
  canRun: ({ variants }: VariantsContext) => variants.isEnabled,
  handler: (ctx: VariantsContext, task: Task, { signal }) => make(ctx, task, signal),
})
