import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { removeObjectsJob } from '#services/storage/jobs.ts'
import type { TestUser } from './helper.ts'

interface Sender {
  headers: { authorization: string }
}

/** Creates a file; `url` is where files are, by default one's own. */
export async function createFile(
  app: FastifyInstance,
  as: Sender | TestUser,
  { url = '/api/v1/files', name = 'a file' } = {},
): Promise<string> {
  const made = await app.inject({ method: 'POST', url, headers: as.headers, payload: { name } })
  if (made.statusCode !== 201) throw new Error(made.body)
  return `${url}/${made.json().id}`
}

/** Sends the content of a file. */
export function putContent(
  app: FastifyInstance,
  as: Sender | TestUser,
  file: string,
  payload: string | Buffer,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'PUT',
    url: `${file}/content`,
    headers: { ...as.headers, ...headers },
    payload,
  })
}

/** Creates a file with content and returns its URL. */
export async function createFullFile(
  app: FastifyInstance,
  as: Sender | TestUser,
  content: string | Buffer,
  options: { url?: string; name?: string } = {},
): Promise<string> {
  const file = await createFile(app, as, options)
  const put = await putContent(app, as, file, content)
  if (put.statusCode !== 200) throw new Error(put.body)
  return file
}

/** Removes what may be removed from the store. */
export async function sweep(app: FastifyInstance): Promise<void> {
  const run = {
    id: 'test',
    attempt: 1,
    signal: new AbortController().signal,
    complete: async () => undefined,
  }
  await removeObjectsJob.handler(app.ctx, {}, run)
}

/** The keys of everything that the store of the application has. */
export async function keysOf(app: FastifyInstance): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.ctx.storage.store?.list() ?? []) keys.push(key)
  return keys.sort()
}

/** Creates a file, has it in quarantine, and returns its id. */
export async function quarantinedFile(app: FastifyInstance, as: Sender | TestUser): Promise<string> {
  const id = (await createFullFile(app, as, 'content')).split('/').at(-1) ?? ''
  await new SystemDatabase(app.db).query({
    name: 'quarantineFile',
    text: "UPDATE files SET scan = 'infected', scan_finding = 'Test.Pattern', scanned_at = now() WHERE id = $1",
    values: [id],
  })
  return id
}
