import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import type { FilesContext } from './context.ts'
import * as queries from './scan-queries.ts'
import { scan } from './scanning.ts'

/** Contents that one run looks at. */
const BATCH = 200

/** Milliseconds after which a content was not scanned by its own job. */
const WAITED_MS = 60_000

/** Seconds; a content may be large. */
const TIMEOUT_SECONDS = 900

/** Has the scanner look at a content that was just written. What fails is repeated by the other job. */
export const scanFileJob = defineJob({
  name: 'scan_file',
  retryLimit: 2,
  timeout: TIMEOUT_SECONDS,
  handler: async (ctx: FilesContext, file: { space: string; id: string; key: string }, { signal }) => {
    const content = await queries.selectWaiting(new SystemDatabase(ctx.db), file)
    if (content !== undefined) await scan(ctx, content, signal)
  },
})

/** Has the scanner look at what could not be scanned before, until it is away. */
export const scanWaitingFilesJob = defineJob({
  name: 'scan_waiting_files',
  cron: '* * * * *',
  retryLimit: 0,
  concurrency: 1,
  timeout: TIMEOUT_SECONDS,
  handler: async (ctx: FilesContext, _data: object, { signal }) => {
    const waiting = { waitedMs: WAITED_MS, limit: BATCH }
    for (const content of await queries.selectLongWaiting(new SystemDatabase(ctx.db), waiting)) {
      if (!(await scan(ctx, content, signal))) return
    }
  },
})
