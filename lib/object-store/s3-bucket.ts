import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { AwsClient } from 'aws4fetch'
import { ObjectMissing, ObjectStoreError } from './object-store-error.ts'
import { openAnswer } from './open-answer.ts'
import { inParts } from './parts.ts'
import { Source } from './source.ts'

/** How to reach a bucket. */
export interface S3Options {
  readonly bucket: string
  /** Beginning of every name: empty, or with a trailing slash. */
  readonly prefix: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly region?: string | undefined
  /** Endpoint of a store that is not Amazon's; the bucket is then part of the path. */
  readonly endpoint?: string | undefined
}

/** Again after an answer that says "not now", with a growing pause. */
const MAX_RETRIES = 5

/** A bucket of an object store that speaks S3. An upload in parts is an object when it is completed, and nothing before. */
export class S3Bucket {
  /** For people. */
  readonly place: string
  readonly #client: AwsClient
  /** URL of the bucket, without a trailing slash. */
  readonly #url: string
  readonly #prefix: string

  constructor({ bucket, prefix, endpoint, region = 'us-east-1', ...keys }: S3Options) {
    this.place = `s3://${bucket}/${prefix}`.replace(/\/+$/, '')
    this.#prefix = prefix
    this.#url = urlOf({ bucket, endpoint, region })
    const { accessKeyId, secretAccessKey, sessionToken } = keys
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken ? { sessionToken } : {}),
      service: 's3',
      region,
      retries: MAX_RETRIES,
    })
  }

  /** Returns the names of all objects. */
  async *list(): AsyncIterable<string> {
    let token: string | undefined
    do {
      const query = new URLSearchParams({ 'list-type': '2', prefix: this.#prefix, delimiter: '/' })
      if (token !== undefined) query.set('continuation-token', token)
      const xml = await (await this.#send('GET', `?${query}`)).text()
      // Our own keys need no escapes; others do not matter.
      for (const [, key = ''] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) yield key.slice(this.#prefix.length)
      token = element(xml, 'NextContinuationToken')
    } while (token !== undefined)
  }

  /** Returns the same at once. */
  async names(): Promise<string[]> {
    const names: string[] = []
    for await (const name of this.list()) names.push(name)
    return names
  }

  /**
   * Writes an object of a known length as its bytes come: none is kept, so nothing is retried. The connection's encryption,
   * and the caller's own digest, stand in for a signature of the content.
   */
  async putStream(name: string, pieces: AsyncIterable<Uint8Array>, length: number): Promise<void> {
    const signed = await this.#client.sign(this.#url + this.#path(name), {
      method: 'PUT',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    })
    const url = new URL(signed.url)
    const send = url.protocol === 'https:' ? requestTls : requestPlain
    const headers = { ...Object.fromEntries(signed.headers), 'content-length': length }
    const request = send(url, { method: 'PUT', headers })
    const answered = new Promise<Answer>((resolve, reject) => {
      request.on('error', reject)
      request.on('response', (response) => {
        const { statusCode: status = 0 } = response
        response.toArray().then((parts) => resolve({ status, xml: Buffer.concat(parts).toString() }), reject)
      })
    })
    const source = new Source(pieces)
    const sent = pipeline(source.stream(), request).then(() => answered)
    let answer: Answer
    try {
      // A refusal may come before all is sent.
      answer = await Promise.any([answered, sent])
      if (answer.status === 200) await sent
    } catch (cause) {
      if (source.failure !== undefined) throw source.failure
      throw new ObjectStoreError(`${url.origin} cannot be reached: ${await reasonOf(sent)}`, { cause })
    } finally {
      request.destroy()
    }
    if (answer.status !== 200) throw refused(this.place, { method: 'PUT', ...answer })
  }

  /** Writes a small object, which can be sent again. Returns its entity tag. */
  async put(
    name: string,
    content: Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<string> {
    return this.#tagOf(await this.#send('PUT', this.#path(name), content, headers))
  }

  /** Writes an object in parts, one of which is in memory at a time; one whose source fails is not there afterwards. */
  async putParts(name: string, pieces: AsyncIterable<Uint8Array>, partSize: number): Promise<void> {
    const id = await this.beginParts(name)
    try {
      const tags: string[] = []
      for await (const part of inParts(pieces, partSize))
        tags.push(await this.putPart(name, id, tags.length + 1, part))
      await this.completeParts(name, id, tags)
    } catch (error) {
      await this.#abortParts(name, id).catch(() => undefined)
      throw error
    }
  }

  /** Begins an upload in parts, and returns its id. */
  async beginParts(name: string): Promise<string> {
    const started = await (await this.#send('POST', `${this.#path(name)}?uploads=`)).text()
    const id = element(started, 'UploadId')
    if (id !== undefined) return id
    throw new ObjectStoreError(`${this.place} did not begin an upload: ${started.slice(0, 200)}`)
  }

  /** Sends a part, counted from 1, and returns its entity tag. */
  async putPart(name: string, id: string, number: number, part: Uint8Array<ArrayBuffer>): Promise<string> {
    const path = `${this.#path(name)}?partNumber=${number}&uploadId=${encodeURIComponent(id)}`
    return this.#tagOf(await this.#send('PUT', path, part))
  }

  /** Returns the sizes and entity tags of the parts that have come, by their numbers. */
  async listParts(name: string, id: string): Promise<Map<number, { size: number; tag: string }>> {
    const parts = new Map<number, { size: number; tag: string }>()
    let after: string | undefined = '0'
    while (after !== undefined) {
      const query: URLSearchParams = new URLSearchParams({ uploadId: id, 'part-number-marker': after })
      const xml: string = await (await this.#send('GET', `${this.#path(name)}?${query}`)).text()
      for (const [part] of xml.matchAll(/<Part>.*?<\/Part>/gs)) {
        const read = (field: string) => element(part, field) ?? ''
        // The tag is still in XML's escapes, as it has to be where it is sent back.
        parts.set(Number(read('PartNumber')), { size: Number(read('Size')), tag: read('ETag') })
      }
      after = element(xml, 'IsTruncated') === 'true' ? element(xml, 'NextPartNumberMarker') : undefined
    }
    return parts
  }

  /** Makes the object of parts by their entity tags. */
  async completeParts(name: string, id: string, tags: readonly string[]): Promise<void> {
    const list = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`
    const path = `${this.#path(name)}?uploadId=${encodeURIComponent(id)}`
    const answer = await (await this.#send('POST', path, body)).text()
    // It may fail after it has answered 200.
    if (answer.includes('<Error>')) throw refused(this.place, { method: 'POST', status: 200, xml: answer })
  }

  /** Removes the parts of all uploads of an object that were not completed. */
  async removeParts(name: string): Promise<void> {
    const query = new URLSearchParams({ prefix: this.#prefix + name })
    const xml = await (await this.#send('GET', `?uploads=&${query}`)).text()
    for (const [, id = ''] of xml.matchAll(/<UploadId>([^<]*)<\/UploadId>/g)) await this.#abortParts(name, id)
  }

  async #abortParts(name: string, id: string): Promise<void> {
    await this.#send('DELETE', `${this.#path(name)}?uploadId=${encodeURIComponent(id)}`)
  }

  #tagOf({ headers }: Response): string {
    const tag = headers.get('etag')
    if (tag === null) throw new ObjectStoreError(`${this.place} did not acknowledge what was sent.`)
    return tag
  }

  /**
   * Opens an object.
   *
   * @param headers such as `range`, with which the answer is a part
   * @throws ObjectMissing
   */
  async get(name: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const path = this.#path(name)
    let response: IncomingMessage
    try {
      response = await openAnswer(() => this.#client.sign(this.#url + path, { headers }))
    } catch (cause) {
      throw new ObjectStoreError(`${new URL(this.#url).origin} cannot be reached: ${reason(cause)}`, {
        cause,
      })
    }
    const { statusCode: status = 0 } = response
    if (status === 200 || status === 206) return response
    const xml = Buffer.concat(await response.toArray()).toString()
    throw refused(`${this.place} (${path})`, { method: 'GET', status, xml })
  }

  /** Returns how many bytes an object has; undefined if it is not there. */
  async size(name: string): Promise<number | undefined> {
    try {
      const { headers } = await this.#send('HEAD', this.#path(name))
      return Number(headers.get('content-length'))
    } catch (error) {
      if (error instanceof ObjectMissing) return undefined
      throw error
    }
  }

  async remove(name: string): Promise<void> {
    await this.#send('DELETE', this.#path(name))
  }

  #path(name: string): string {
    return `/${this.#prefix}${name}`
  }

  async #send(
    method: string,
    path: string,
    body?: Uint8Array<ArrayBuffer> | string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const url = this.#url + path
    let response: Response
    try {
      response = await this.#client.fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
    } catch (cause) {
      throw new ObjectStoreError(`${new URL(url).origin} cannot be reached: ${reason(cause)}`, { cause })
    }
    if (response.ok) return response
    const { status } = response
    throw refused(`${this.place} (${path})`, { method, status, xml: await response.text() })
  }
}

/** The URL of a bucket, without a trailing slash. */
export function urlOf({
  bucket,
  endpoint,
  region = 'us-east-1',
}: Pick<S3Options, 'bucket' | 'endpoint' | 'region'>): string {
  if (endpoint) return `${endpoint.replace(/\/+$/, '')}/${bucket}`
  return `https://${bucket}.s3.${region}.amazonaws.com`
}

interface Answer {
  readonly status: number
  readonly xml: string
}

function refused(place: string, { method, status, xml }: Answer & { method: string }): ObjectStoreError {
  const code = element(xml, 'Code') ?? 'no code'
  const message = element(xml, 'Message') ?? ''
  const kind = status === 404 ? ObjectMissing : ObjectStoreError
  return new kind(`The object store refused ${method} for ${place}: ${status} ${code} ${message}`.trimEnd())
}

/** The text of an element of S3's answers, which never nest one of the same name. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

function reason(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return error.cause.message
  return String(error)
}

/** Why the work has failed. */
function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no reason',
    (error: unknown) => reason(error),
  )
}
