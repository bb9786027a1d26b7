import type { FastifyInstance } from 'fastify'
import sharp from 'sharp'
import { makeVariantJob } from '#services/variants/jobs.ts'
import type { Task } from '#services/variants/making.ts'
import { createFullFile } from '#test/support/files.ts'
import { signUp } from '#test/support/helper.ts'
import { RUN } from './requests.ts'

/** Runs the statements of smaller copies of images: of one, and of what only looks like one. */
export async function workOnVariants(app: FastifyInstance): Promise<void> {
  const as = await signUp(app)
  const image = sharp({ create: { width: 10, height: 10, channels: 3, background: 'teal' } })
  for (const content of [await image.png().toBuffer(), 'GIF89a']) {
    const file = await createFullFile(app, as, content)
    await app.inject({ url: `${file}/variants/thumbnail`, headers: as.headers })
  }
  const jobs = await app.db.query<{ data: Task }>({
    name: 'takeVariants',
    text: "DELETE FROM pgboss.job WHERE name = 'make_variant' RETURNING data",
  })
  for (const { data } of jobs) await makeVariantJob.handler(app.ctx, data, RUN)
}
