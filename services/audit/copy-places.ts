import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Config } from '#config/schema/schema.ts'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { ObjectMissing } from '#lib/object-store/object-store-error.ts'
import { S3Bucket } from '#lib/object-store/s3-bucket.ts'
import type { CopyPlace } from './copies.ts'

/** Returns the places that are configured. Nothing is connected to. */
export function copyPlacesOf({
  checkpoint_directory: directory,
  checkpoint_s3: s3,
}: Pick<Config['audit'], 'checkpoint_directory' | 'checkpoint_s3'>): CopyPlace[] {
  const { bucket, prefix = '', access_key_id = '', secret_access_key = '', ...others } = s3
  const keys = { accessKeyId: access_key_id, secretAccessKey: secret_access_key }
  return [
    ...(directory === undefined ? [] : [new CopyDirectory(directory)]),
    ...(bucket === undefined ? [] : [new CopyBucket(new S3Bucket({ ...others, ...keys, bucket, prefix }))]),
  ]
}

/** A directory. */
class CopyDirectory implements CopyPlace {
  readonly place: string

  constructor(place: string) {
    this.place = place
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.place, name), 'utf8')
    } catch (error) {
      if (isMissingFile(error)) return undefined
      throw error
    }
  }

  async write(name: string, note: string): Promise<void> {
    await mkdir(this.place, { recursive: true })
    const file = join(this.place, name)
    await writeFile(`${file}.part`, note)
    await rename(`${file}.part`, file)
  }

  list(): Promise<string[]> {
    return readdir(this.place)
  }
}

/** A bucket of an object store that speaks S3; its rules can keep even its owner from changing what it has. */
class CopyBucket implements CopyPlace {
  readonly place: string
  readonly #bucket: S3Bucket

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
    this.place = bucket.place
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return await text(await this.#bucket.get(name))
    } catch (error) {
      if (error instanceof ObjectMissing) return undefined
      throw error
    }
  }

  async write(name: string, note: string): Promise<void> {
    await this.#bucket.put(name, Buffer.from(note))
  }

  list(): Promise<string[]> {
    return this.#bucket.names()
  }
}
