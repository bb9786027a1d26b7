import { assertKey, type DirectUploads, type ObjectKey } from './object-store.ts'
import { ObjectMissing } from './object-store-error.ts'
import type { S3Bucket } from './s3-bucket.ts'
import type { S3Presigner } from './s3-presigner.ts'

/** Uploads in parts that clients send to a bucket. Nobody can add to the object once it is complete, whatever URL he has. */
export class S3Direct implements DirectUploads {
  readonly #bucket: S3Bucket
  readonly #presigner: S3Presigner

  constructor(bucket: S3Bucket, presigner: S3Presigner) {
    this.#bucket = bucket
    this.#presigner = presigner
  }

  begin(key: ObjectKey): Promise<string> {
    assertKey(key)
    return this.#bucket.beginParts(key)
  }

  sign(
    key: ObjectKey,
    id: string,
    { number, bytes, seconds }: { number: number; bytes: number; seconds: number },
  ): Promise<string> {
    assertKey(key)
    const query = { partNumber: String(number), uploadId: id }
    const headers = { 'content-length': String(bytes) }
    return this.#presigner.sign({ method: 'PUT', name: key, query, headers, seconds })
  }

  async complete(key: ObjectKey, id: string, sizes: readonly number[]): Promise<number[]> {
    assertKey(key)
    try {
      const parts = await this.#bucket.listParts(key, id)
      const tags: string[] = []
      const missing: number[] = []
      for (const [index, size] of sizes.entries()) {
        const part = parts.get(index + 1)
        if (part?.size === size) tags.push(part.tag)
        else missing.push(index + 1)
      }
      if (missing.length === 0) await this.#bucket.completeParts(key, id, tags)
      return missing
    } catch (error) {
      // It may have been completed by somebody who could not say so any more.
      const length = sizes.reduce((sum, size) => sum + size, 0)
      if (!(error instanceof ObjectMissing) || (await this.#bucket.size(key)) !== length) throw error
      return []
    }
  }
}
