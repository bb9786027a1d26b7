import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { write } from '#services/files/content.ts'
import type { FilesContext } from '#services/files/context.ts'
import { scanFileJob, scanWaitingFilesJob } from '#services/files/jobs.ts'
import { longestWait } from '#services/files/scanning.ts'
import { forPerson } from '#services/members/membership.ts'
import { createFile, quarantinedFile } from '#test/support/files.ts'
import { signUp } from '#test/support/helper.ts'
import { RUN } from './requests.ts'

const reason = 'Ticket 4711'

const OPERATIONS = '/api/v1/operations/files'

/** Runs the statements of contents that are scanned or can't be, and of what admins do with them. */
export async function workOnScans(app: FastifyInstance): Promise<void> {
  const as = await signUp(app)
  const { headers } = await signUp(app, { role: 'admin' })
  const ids = [await quarantinedFile(app, as), await quarantinedFile(app, as)]
  const list = `${OPERATIONS}/quarantine?limit=1`
  const page = await app.inject({ url: list, headers })
  await app.inject({ url: `${list}&cursor=${page.json().next_cursor}`, headers })
  for (const id of ids)
    await app.inject({
      method: 'POST',
      url: `${OPERATIONS}/quarantine/${id}/release`,
      headers,
      payload: { reason },
    })
  const limit = `${OPERATIONS}/limits/${as.user.id}`
  await app.inject({ method: 'PATCH', url: limit, headers, payload: { max_bytes: 1_000_000, reason } })

  const scanner = { scan: () => Promise.reject(new Error('it fails')) }
  const scanning = { scanner, maxSize: 10, isHeld: true }
  const ctx: FilesContext = { ...app.ctx, files: { ...app.ctx.files, scanning } }
  const space = { ...forPerson(ctx, as.user.id), author: null }
  for (const content of ['short', 'too large to be scanned']) {
    const id = (await createFile(app, as)).split('/').at(-1) ?? ''
    await write(space, id, { pieces: Readable.from([Buffer.from(content)]), length: undefined }, undefined)
  }
  const jobs = await app.db.query<{ data: { space: string; id: string; key: string } }>({
    name: 'takeScans',
    text: "DELETE FROM pgboss.job WHERE name = 'scan_file' RETURNING data",
  })
  for (const { data } of jobs) await scanFileJob.handler(ctx, data, RUN)
  await scanWaitingFilesJob.handler(ctx, {}, RUN)
  await longestWait(app.db)
}
