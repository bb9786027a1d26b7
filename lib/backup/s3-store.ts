import { ObjectStoreError } from '#lib/object-store/object-store-error.ts'
import { S3Bucket, type S3Options } from '#lib/object-store/s3-bucket.ts'
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

/** Backups in an object store that speaks S3. */
export class S3Store implements BackupStore {
  readonly place: string
  readonly #bucket: S3Bucket
  readonly #partSize: number

  /** @throws BackupError for a bad address or missing credentials. */
  constructor(place: string, settings: S3Settings, options: { partSize?: number } = {}) {
    this.#bucket = new S3Bucket(placeIn(place, settings))
    this.place = this.#bucket.place
    this.#partSize = options.partSize ?? PART_BYTES
  }

  list(): Promise<string[]> {
    return explained(this.#bucket.names())
  }

  write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    return explained(this.#bucket.putParts(name, pieces, this.#partSize))
  }

  read(name: string): Promise<AsyncIterable<Uint8Array>> {
    return explained(this.#bucket.get(name))
  }

  remove(name: string): Promise<void> {
    return explained(this.#bucket.remove(name))
  }
}

/**
 * Reads an address such as `s3://bucket/prefix`.
 *
 * @throws BackupError for a bad one, or missing credentials
 */
export function placeIn(place: string, settings: S3Settings): S3Options {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/([\w/.-]*))?$/.exec(place)
  if (!match) {
    throw new BackupError(`${place} is not an address of an object store: write s3://bucket/prefix.`)
  }
  const { accessKeyId, secretAccessKey } = settings
  if (!accessKeyId || !secretAccessKey) {
    throw new BackupError(
      'The object store needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and ' +
        'AWS_SESSION_TOKEN where they are temporary) in the environment.',
    )
  }
  const [, bucket = '', path = ''] = match
  const prefix = path.replace(/\/*$/, '/').replace(/^\/$/, '')
  return { ...settings, accessKeyId, secretAccessKey, bucket, prefix }
}

/** Makes what the store says an error of backups, whose message people are told. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ObjectStoreError) throw new BackupError(error.message, { cause: error })
    throw error
  }
}
