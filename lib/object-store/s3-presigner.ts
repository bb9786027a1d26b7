import { AwsClient } from 'aws4fetch'
import type { S3Options } from './s3-bucket.ts'

/** A request that the holder of its URL may send to the store. */
export interface PresignedRequest {
  readonly method: 'GET' | 'PUT'
  readonly name: string
  readonly query?: Readonly<Record<string, string>>
  /** Headers that the request must have as they are: they are part of the signature. */
  readonly headers?: Readonly<Record<string, string>>
  readonly seconds: number
}

/** Signs requests that others send to a bucket. Nothing is sent. */
export class S3Presigner {
  readonly #client: AwsClient
  readonly #url: string
  readonly #prefix: string

  /** @param url of the bucket as others reach it, without a trailing slash */
  constructor(url: string, { prefix, region = 'us-east-1', ...keys }: S3Options) {
    const { accessKeyId, secretAccessKey, sessionToken } = keys
    const session = sessionToken ? { sessionToken } : {}
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, ...session, service: 's3', region })
    this.#url = url
    this.#prefix = prefix
  }

  async sign({ method, name, query = {}, headers = {}, seconds }: PresignedRequest): Promise<string> {
    const search = new URLSearchParams({ ...query, 'X-Amz-Expires': String(seconds) })
    const url = `${this.#url}/${this.#prefix}${name}?${search}`
    // Without `allHeaders`, the length and the type would not be signed.
    const signed = await this.#client.sign(url, {
      method,
      headers,
      aws: { signQuery: true, allHeaders: true },
    })
    return signed.url
  }
}
