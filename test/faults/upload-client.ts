import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { call } from '#test/support/http.ts'
import { named, TUS } from '#test/support/uploads.ts'

/** An upload, and how much of it was acknowledged. */
export interface Sending {
  readonly path: string
  readonly bytes: Buffer
  acknowledged: number
}

/** Milliseconds between slices of a body. */
const PAUSE_MS = 20

/** A client of tus that sends slowly, so that whatever happens to a service happens in the middle of it. */
export class UploadClient {
  readonly #token: string
  readonly #headers: Record<string, string>
  readonly #slice: number
  /** Where the service is now. */
  url: string

  /** @param slice bytes that are sent each 20 ms */
  constructor(url: string, token: string, slice: number) {
    this.url = url
    this.#token = token
    this.#slice = slice
    this.#headers = { ...TUS, authorization: `Bearer ${token}` }
  }

  async create(size: number): Promise<Sending> {
    const headers = { ...this.#headers, ...named('a file'), 'upload-length': String(size) }
    const made = await fetch(`${this.url}/api/v1/uploads`, { method: 'POST', headers })
    if (made.status !== 201) throw new Error(`${made.status} ${await made.text()}`)
    return { path: String(made.headers.get('location')), bytes: randomBytes(size), acknowledged: 0 }
  }

  /** Asks where it goes on; undefined where no service answers. */
  async head({ path }: Sending): Promise<number | undefined> {
    const answer = await fetch(this.url + path, { method: 'HEAD', headers: this.#headers }).catch(
      () => undefined,
    )
    return answer?.status === 200 ? Number(answer.headers.get('upload-offset')) : undefined
  }

  /** Notes how much is acknowledged, which disturbs nobody. */
  async look(sending: Sending): Promise<void> {
    const { status, text } = await call(this.url + sending.path, { token: this.#token })
    if (status === 200) sending.acknowledged = JSON.parse(text).offset
  }

  /** Sends the rest, a slice at a time; resolves with what was answered, or when the connection is broken. */
  send({ path, bytes }: Sending, offset: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const headers = {
        ...this.#headers,
        'upload-offset': offset,
        'content-type': 'application/offset+octet-stream',
        'content-length': bytes.length - offset,
      }
      const sent = request(this.url + path, { method: 'PATCH', headers })
      sent.on('response', (response) => resolve(response.resume().statusCode))
      sent.on('close', () => resolve(undefined))
      sent.on('error', () => undefined)
      const slice = (at: number) => {
        if (sent.destroyed) return
        if (at >= bytes.length) return void sent.end()
        sent.write(bytes.subarray(at, at + this.#slice))
        setTimeout(slice, PAUSE_MS, at + this.#slice)
      }
      slice(offset)
    })
  }

  /** Whether the file has all of it. */
  async isWhole({ path, bytes }: Sending): Promise<boolean> {
    const { text } = await call(this.url + path.replace('/uploads/', '/files/'), { token: this.#token })
    const { status, sha256 } = JSON.parse(text)
    return status === 'ready' && sha256 === createHash('sha256').update(bytes).digest('hex')
  }
}
