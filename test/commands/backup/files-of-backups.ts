import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import sharp from 'sharp'
import type { Test } from 'tap'
import { makeVariantJob } from '#services/variants/jobs.ts'
import type { Task } from '#services/variants/making.ts'
import { createFullFile, putContent } from '#test/support/files.ts'
import { signUp, type TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { appendTo, createUpload, headOf } from '#test/support/uploads.ts'
import type { PostgresServer } from './postgres-server.ts'

const RUN = { id: 'test', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** A copy to send, whose memory the store frees. */
const sent = (bytes: Buffer) => Buffer.from(bytes)

/** A service with files of every kind. */
export interface FilledService {
  readonly app: FastifyInstance
  readonly url: string
  readonly user: TestUser
  /** Digests of contents by the paths that answer with them. */
  readonly digests: ReadonlyMap<string, string>
  /** A file in the trash, whose content counts as well. */
  readonly trashed: string
  /** An upload that is under way. */
  readonly unfinished: string
  /** Contents that rows name. */
  readonly objects: number
}

/** Makes a migrated database, and files of every kind in the store that `env` sets. */
export async function filledService(
  t: Test,
  server: PostgresServer,
  env: Record<string, string>,
): Promise<FilledService> {
  const url = await server.createDatabase()
  const app = await startInstance(t, { url }, { ...WEB, APP_DATABASE__MIGRATE_ON_START: 'true', ...env })
  const user = await signUp(app)
  const { url: organization } = await createOrganization(app, user)
  const digests = new Map<string, string>()
  const add = (path: string, content: Buffer) => digests.set(path, sha256(content))

  for (const size of [0, 1, 100_000, 3_000_000]) {
    const content = randomBytes(size)
    add(`${await createFullFile(app, user, sent(content))}/content`, content)
  }
  const replaced = await createFullFile(app, user, 'the first')
  await putContent(app, user, replaced, 'the second')
  add(`${replaced}/content`, Buffer.from('the second'))
  const shared = randomBytes(5000)
  add(`${await createFullFile(app, user, sent(shared), { url: `${organization}/files` })}/content`, shared)

  const image = await sharp({ create: { width: 900, height: 900, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  const avatar = '/api/v1/users/me/avatar'
  await app.inject({ method: 'PUT', url: avatar, headers: user.headers, payload: sent(image) })
  add(avatar, image)
  const picture = await createFullFile(app, user, sent(image))
  add(`${picture}/content`, image)
  await app.inject({ url: `${picture}/variants/thumbnail`, headers: user.headers })
  const query = "DELETE FROM pgboss.job WHERE name = 'make_variant' RETURNING data"
  for (const { data } of await server.query<{ data: Task }>(url, query))
    await makeVariantJob.handler(app.ctx, data, RUN)
  const copy = await app.inject({ url: `${picture}/variants/thumbnail`, headers: user.headers })
  add(`${picture}/variants/thumbnail`, copy.rawPayload)

  const resumed = randomBytes(70_000)
  const upload = await createUpload(app, user, resumed.length)
  await appendTo(app, user, upload, { offset: 0, bytes: resumed.subarray(0, 30_000) })
  await appendTo(app, user, upload, { offset: 30_000, bytes: resumed.subarray(30_000) })
  add(`/api/v1/files/${upload.split('/').at(-1)}/content`, resumed)
  // Not finished, and so not a content.
  const unfinished = await createUpload(app, user, 10)
  await appendTo(app, user, unfinished, { offset: 0, bytes: 'half' })

  const trashed = await createFullFile(app, user, 'in the trash')
  await app.inject({ method: 'DELETE', url: trashed, headers: user.headers })
  return { app, url, user, digests, trashed, unfinished, objects: digests.size + 1 }
}

const WEB = { APP_ROLE: 'web' }

/** Checks that a service answers with every content as it was, also with the one in the trash when that is restored. */
export async function hasAll(
  t: Test,
  app: FastifyInstance,
  { user: { headers }, digests, trashed, unfinished }: FilledService,
): Promise<void> {
  for (const [url, digest] of digests) {
    const { statusCode, rawPayload } = await app.inject({ url, headers })
    t.equal(statusCode, 200, url)
    t.equal(sha256(rawPayload), digest, url)
  }
  const restored = await app.inject({ method: 'POST', url: `${trashed}/restore`, headers })
  t.equal(restored.statusCode, 200, restored.body)
  t.equal((await app.inject({ url: `${trashed}/content`, headers })).body, 'in the trash')
  const upload = await headOf(app, { headers }, unfinished)
  t.equal(upload.statusCode, 404, 'its client has to begin again')
}
