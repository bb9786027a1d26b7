import type { Test } from 'tap'
import type { DirectUpload } from '#schemas/uploads.ts'
import { verifyUploadJob } from '#services/uploads/jobs.ts'
import { createTestApp, type TestUser } from './helper.ts'

export const DIRECT = '/api/v1/direct-uploads'

/** Bytes of each part but the last. */
export const PART = 16 * 1024 * 1024

const RUN = { id: 'test', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }

/** Starts an application whose clients send to a store, with these settings. */
export async function start(t: Test, store: Record<string, string>, env: Record<string, string> = {}) {
  const test = await createTestApp(t, { ...store, APP_ROLE: 'web', ...env })
  const { app, db, request } = test
  const create = (as: TestUser, size: number, url = DIRECT) =>
    request({ method: 'POST', url, as, payload: { name: 'film.mp4', size } })
  return {
    ...test,
    create,
    async begin(as: TestUser, size: number, url = DIRECT): Promise<DirectUpload> {
      const made = await create(as, size, url)
      t.equal(made.statusCode, 200, made.body)
      return made.json()
    },
    /** Runs the job of one. */
    verify: (as: TestUser, id: string) => verifyUploadJob.handler(app.ctx, { user: as.user.id, id }, RUN),
    complete: (as: TestUser, id: string, url = DIRECT) =>
      request({ method: 'POST', url: `${url}/${id}/complete`, as }),
    /** Runs the jobs of all uploads that were completed. */
    async verifyAll() {
      const jobs = await db.query<{ data: { id: string; user: string } }>(
        "DELETE FROM pgboss.job WHERE name = 'verify_upload' RETURNING data",
      )
      for (const { data } of jobs) await verifyUploadJob.handler(app.ctx, data, RUN)
      return jobs.length
    },
  }
}

/** Sends parts as a browser does: with nothing but the bytes. */
export async function send(parts: DirectUpload['parts'], content: Buffer): Promise<(number | 'cut')[]> {
  const answers = parts.map(async ({ number, size, url }) => {
    const body = content.subarray((number - 1) * PART, (number - 1) * PART + size)
    // A store that refuses a part may end the connection before it has read it.
    return fetch(url, { method: 'PUT', body: Uint8Array.from(body) }).then(
      ({ status }) => status,
      () => 'cut' as const,
    )
  })
  return Promise.all(answers)
}
