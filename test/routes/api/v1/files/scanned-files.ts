import type { Test } from 'tap'
import { scanFileJob, scanWaitingFilesJob } from '#services/files/jobs.ts'
import { createTestApp } from '#test/support/helper.ts'

/** A scanner that nobody is at. */
export const NOBODY = 'tcp://127.0.0.1:1'

/** A run of a job. */
export const RUN = {
  id: 'test',
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

/** An application without workers, and what its jobs would do. */
export async function start(t: Test, env: Record<string, string>) {
  const test = await createTestApp(t, { APP_ROLE: 'web', APP_FILES__DIRECTORY: t.testdir(), ...env })
  const { app, db } = test
  return {
    ...test,
    /** Runs the jobs of all that was just written. */
    async scanNew() {
      const jobs = await db.query<{ data: { space: string; id: string; key: string } }>(
        "DELETE FROM pgboss.job WHERE name = 'scan_file' RETURNING data",
      )
      for (const { data } of jobs) await scanFileJob.handler(app.ctx, data, RUN)
    },
    /** Runs the job of what could not be scanned, as if a minute had gone by. */
    async scanWaiting() {
      await db.query("UPDATE files SET written_at = written_at - interval '2 minutes' WHERE scan = 'waiting'")
      await scanWaitingFilesJob.handler(app.ctx, {}, RUN)
    },
  }
}
