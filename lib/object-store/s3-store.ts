import type { Readable } from 'node:stream'
import pLimit, { type LimitFunction } from 'p-limit'
import type { Appending, Progress } from './appending.ts'
import {
  assertKey,
  type ByteRange,
  isKey,
  type ObjectKey,
  type ObjectStore,
  type Presentation,
} from './object-store.ts'
import { S3Appending } from './s3-appending.ts'
import { S3Bucket, type S3Options, urlOf } from './s3-bucket.ts'
import { S3Direct } from './s3-direct.ts'
import { S3Presigner } from './s3-presigner.ts'

/** Bytes of one part of an upload: with all parts that there may be, a file of unknown length may have 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024

const MAX_PARTS = 10_000

/** The largest object that S3 takes in one request. */
const LARGEST_PUT = 5 * 1024 ** 3

/** Seconds for which a URL leads to an object: enough to follow a redirect. */
const LOCATION_S = 60

interface Options extends S3Options {
  /** Bytes of memory for parts. */
  readonly memory: number
  /** Where clients reach the store, if that is elsewhere. */
  readonly publicEndpoint?: string | undefined
  /** Whether clients read objects from the store itself. */
  readonly redirects?: boolean
}

/** Objects of a bucket. */
export class S3Store implements ObjectStore {
  readonly kind = 's3'
  readonly largestAppended = MAX_PARTS * PART_BYTES
  readonly #bucket: S3Bucket
  /** Uploads in parts wait for each other, so that the memory for parts is bounded: each has one, and one on its way. */
  readonly #inTurn: LimitFunction

  readonly locate: ObjectStore['locate']
  readonly handOver = undefined
  readonly direct: S3Direct

  constructor({ memory, publicEndpoint, redirects = false, ...options }: Options) {
    this.#bucket = new S3Bucket(options)
    const presigner = new S3Presigner(
      urlOf({ ...options, endpoint: publicEndpoint ?? options.endpoint }),
      options,
    )
    this.direct = new S3Direct(this.#bucket, presigner)
    this.locate = redirects ? (key, as) => locate(presigner, key, as) : undefined
    this.#inTurn = pLimit(Math.max(1, Math.floor(memory / (2 * PART_BYTES))))
  }

  async write(key: ObjectKey, pieces: AsyncIterable<Uint8Array>, length?: number): Promise<void> {
    assertKey(key)
    if (length !== undefined && length <= LARGEST_PUT) await this.#bucket.putStream(key, pieces, length)
    else await this.#inTurn(() => this.#bucket.putParts(key, pieces, PART_BYTES))
  }

  async resume(key: ObjectKey, progress: Progress): Promise<Appending> {
    assertKey(key)
    // Its part is in memory until it is closed.
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    await new Promise<void>((begin) => {
      void this.#inTurn(() => {
        begin()
        return closed
      })
    })
    try {
      return await S3Appending.resume({ bucket: this.#bucket, key, partBytes: PART_BYTES, close }, progress)
    } catch (error) {
      close()
      throw error
    }
  }

  async read(key: ObjectKey, range?: ByteRange): Promise<Readable> {
    assertKey(key)
    return this.#bucket.get(key, range && { range: `bytes=${range.start}-${range.end}` })
  }

  size(key: ObjectKey): Promise<number | undefined> {
    assertKey(key)
    return this.#bucket.size(key)
  }

  async remove(key: ObjectKey): Promise<void> {
    assertKey(key)
    await this.#bucket.remove(key)
    await this.#bucket.removeParts(key)
  }

  async *list(): AsyncIterable<ObjectKey> {
    for await (const name of this.#bucket.list()) if (isKey(name)) yield name
  }
}

async function locate(
  presigner: S3Presigner,
  key: ObjectKey,
  { type, disposition }: Presentation,
): Promise<string> {
  assertKey(key)
  const query = {
    'response-content-type': type,
    'response-content-disposition': disposition,
    'response-cache-control': 'private, no-cache',
  }
  return presigner.sign({ method: 'GET', name: key, query, seconds: LOCATION_S })
}
