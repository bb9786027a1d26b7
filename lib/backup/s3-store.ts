import { AwsClient } from 'aws4fetch'
import { BackupError } from './backup-error.ts'
import type { BackupStore } from './store.ts'

/** How to reach an object store, as AWS's own tools are told. */
export interface S3Settings {
  readonly accessKeyId: string | undefined
  readonly secretAccessKey: string | undefined
  readonly sessionToken: string | undefined
  readonly region: string | undefined
  /** Endpoint of a store that is not Amazon's; the bucket is then part of the path. */
  readonly endpoint: string | undefined
}

/**
 * Reads the settings from the variables that AWS's own tools read.
 *
 * @throws BackupError when two variables name different regions
 */
export function s3Settings(env: Readonly<Record<string, string | undefined>>): S3Settings {
  // Compose sets a variable that nobody has set to an empty text.
  const read = (...names: string[]) => names.map((name) => env[name]).find((value) => value)
  const [region, fallback] = [read('AWS_REGION'), read('AWS_DEFAULT_REGION')]
  if (region !== undefined && fallback !== undefined && region !== fallback) {
    throw new BackupError(
      `AWS_REGION is ${region} and AWS_DEFAULT_REGION is ${fallback}: set one of them, or both to the same region.`,
    )
  }
  return {
    accessKeyId: read('AWS_ACCESS_KEY_ID'),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    sessionToken: read('AWS_SESSION_TOKEN'),
    region: region ?? fallback,
    endpoint: read('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'),
  }
}

/**
 * Bytes of one part of an upload. There may be 10 000 parts, so a dump may have 312 GiB; one part is in memory
 * at a time.
 */
const PART_BYTES = 32 * 1024 * 1024

/** Again after an answer that says "not now", with a growing pause. */
const MAX_RETRIES = 5

/** An object store that speaks S3. A multipart upload is an object when it is completed, and nothing before. */
export class S3Store implements BackupStore {
  readonly place: string
  readonly #client: AwsClient
  /** URL of the bucket, without a trailing slash. */
  readonly #bucket: string
  /** Empty, or with a trailing slash. */
  readonly #prefix: string
  readonly #partSize: number

  /** @throws BackupError for a bad address or missing credentials. */
  constructor(place: string, settings: S3Settings, options: { partSize?: number } = {}) {
    const match = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/([\w/.-]*))?$/.exec(place)
    if (!match) {
      throw new BackupError(`${place} is not an address of an object store: write s3://bucket/prefix.`)
    }
    const { accessKeyId, secretAccessKey, sessionToken, endpoint, region = 'us-east-1' } = settings
    if (!accessKeyId || !secretAccessKey) {
      throw new BackupError(
        'The object store needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and ' +
          'AWS_SESSION_TOKEN where they are temporary) in the environment.',
      )
    }
    const [, bucket = '', prefix = ''] = match
    this.place = place.replace(/\/+$/, '')
    this.#prefix = prefix.replace(/\/*$/, '/').replace(/^\/$/, '')
    this.#bucket = endpoint
      ? `${endpoint.replace(/\/+$/, '')}/${bucket}`
      : `https://${bucket}.s3.${region}.amazonaws.com`
    this.#partSize = options.partSize ?? PART_BYTES
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken ? { sessionToken } : {}),
      service: 's3',
      region,
      retries: MAX_RETRIES,
    })
  }

  async list(): Promise<string[]> {
    const names: string[] = []
    let token: string | undefined
    do {
      const query = new URLSearchParams({ 'list-type': '2', prefix: this.#prefix, delimiter: '/' })
      if (token !== undefined) query.set('continuation-token', token)
      const xml = await (await this.#send('GET', `?${query}`)).text()
      // Our own keys need no escapes; others do not matter.
      for (const [, key = ''] of xml.matchAll(/<Key>([^<]*)<\/Key>/g))
        names.push(key.slice(this.#prefix.length))
      token = element(xml, 'NextContinuationToken')
    } while (token !== undefined)
    return names
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const started = await (await this.#send('POST', `${this.#path(name)}?uploads=`)).text()
    const id = element(started, 'UploadId')
    if (id === undefined)
      throw new BackupError(`${this.place} did not begin an upload: ${started.slice(0, 200)}`)
    const upload = `uploadId=${encodeURIComponent(id)}`
    try {
      const tags: string[] = []
      for await (const part of inParts(pieces, this.#partSize)) {
        const path = `${this.#path(name)}?partNumber=${tags.length + 1}&${upload}`
        const tag = (await this.#send('PUT', path, part)).headers.get('etag')
        if (tag === null) throw new BackupError(`${this.place} did not acknowledge a part of the upload.`)
        tags.push(tag)
      }
      const list = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
      const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`
      const answer = await (await this.#send('POST', `${this.#path(name)}?${upload}`, body)).text()
      // It may fail after it has answered 200.
      if (answer.includes('<Error>')) throw refused(this.place, 'POST', 200, answer)
    } catch (error) {
      await this.#send('DELETE', `${this.#path(name)}?${upload}`).catch(() => undefined)
      throw error
    }
  }

  async read(name: string): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#send('GET', this.#path(name))
    if (body === null) throw new BackupError(`${this.place}/${name} has no content.`)
    return body
  }

  async remove(name: string): Promise<void> {
    await this.#send('DELETE', this.#path(name))
  }

  #path(name: string): string {
    return `/${this.#prefix}${name}`
  }

  async #send(method: string, path: string, body?: Uint8Array<ArrayBuffer> | string): Promise<Response> {
    const url = this.#bucket + path
    let response: Response
    try {
      response = await this.#client.fetch(url, { method, ...(body === undefined ? {} : { body }) })
    } catch (cause) {
      throw new BackupError(`${new URL(url).origin} cannot be reached: ${reason(cause)}`, { cause })
    }
    if (response.ok) return response
    throw refused(`${this.place} (${path})`, method, response.status, await response.text())
  }
}

async function* inParts(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let waiting: Uint8Array[] = []
  let length = 0
  let parts = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    length += piece.length
    if (length < size) continue
    yield join(waiting, length)
    parts++
    waiting = []
    length = 0
  }
  // An upload has one part at least.
  if (length > 0 || parts === 0) yield join(waiting, length)
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function refused(place: string, method: string, status: number, xml: string): BackupError {
  const code = element(xml, 'Code') ?? 'no code'
  const message = element(xml, 'Message') ?? ''
  return new BackupError(
    `The object store refused ${method} for ${place}: ${status} ${code} ${message}`.trimEnd(),
  )
}

/** The text of an element of S3's answers, which never nest one of the same name. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

function reason(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return error.cause.message
  return String(error)
}
