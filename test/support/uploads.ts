import type { Readable } from 'node:stream'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { TestUser } from './helper.ts'

type Sender = Pick<TestUser, 'headers'>

export const TUS = { 'tus-resumable': '1.0.0' }

/** `Upload-Metadata` with a name of a file. */
export const named = (name: string) => ({
  'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
})

/** Creates an upload by tus, and returns its path; `url` is where uploads are, by default one's own. */
export async function createUpload(
  app: FastifyInstance,
  as: Sender,
  length: number | undefined,
  { url = '/api/v1/uploads', name = 'a file' } = {},
): Promise<string> {
  const said = length === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }
  const headers = { ...as.headers, ...TUS, ...said, ...named(name) }
  const made = await app.inject({ method: 'POST', url, headers })
  if (made.statusCode !== 201) throw new Error(made.body)
  return String(made.headers.location).slice(app.publicPath.length)
}

/** Goes on with an upload by tus. */
export function appendTo(
  app: FastifyInstance,
  as: Sender,
  url: string,
  {
    offset,
    bytes,
    headers = {},
  }: { offset: number; bytes: string | Buffer | Readable; headers?: Record<string, string> },
): Promise<LightMyRequestResponse> {
  const own = { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }
  return app.inject({ method: 'PATCH', url, headers: { ...as.headers, ...own, ...headers }, payload: bytes })
}

/** Asks where an upload goes on. */
export function headOf(app: FastifyInstance, as: Sender, url: string): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'HEAD', url, headers: { ...as.headers, ...TUS } })
}
