import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { syncDirectory } from '#lib/files/sync-directory.ts'
import type { Appending, Progress } from './appending.ts'
import { FileStream } from './file-stream.ts'
import { FileWriter } from './file-writer.ts'
import { LocalAppending } from './local-appending.ts'
import { assertKey, type ByteRange, isKey, type ObjectKey, type ObjectStore } from './object-store.ts'
import { ObjectMissing, ObjectStoreError } from './object-store-error.ts'

/** End of the name of an object that is being written. */
const PARTIAL = '.part'

/** Who may read: the service's user alone, or its group too. */
const [OWN, SHARED] = [
  { file: 0o600, folder: 0o700 },
  { file: 0o640, folder: 0o750 },
]

/** Objects as files of a directory that the service's user alone may read, and its group where a proxy sends them. */
export class LocalStore implements ObjectStore {
  readonly kind = 'local'
  readonly largestAppended = Number.MAX_SAFE_INTEGER
  readonly locate = undefined
  readonly direct = undefined
  readonly directory: string
  readonly handOver: ObjectStore['handOver']
  readonly #modes: typeof OWN

  /** @param accelPrefix where the proxy in front of the service has the directory */
  constructor(directory: string, accelPrefix?: string) {
    this.directory = resolve(directory)
    this.#modes = accelPrefix === undefined ? OWN : SHARED
    this.handOver = accelPrefix === undefined ? undefined : (key) => this.#handOver(key, accelPrefix)
  }

  async write(key: ObjectKey, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(key)
    const file = await this.#create(path)
    try {
      const writer = new FileWriter(file)
      for await (const piece of pieces) {
        const written = writer.write(piece)
        if (written !== undefined) await written
      }
      await writer.flush()
      await file.datasync()
      await syncDirectory(dirname(path))
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
  }

  async resume(key: ObjectKey, { offset }: Progress): Promise<Appending> {
    const whole = this.#path(key)
    const partial = whole + PARTIAL
    await this.#prepare(dirname(whole))
    // It may have been finished by somebody who could not say so any more.
    if (offset > 0 && (await sizeOf(partial)) === undefined) await rename(whole, partial)
    const file = await open(partial, constants.O_RDWR | constants.O_CREAT, this.#modes.file)
    try {
      if (offset === 0) await syncDirectory(dirname(whole))
      if ((await file.stat()).size < offset)
        throw new ObjectStoreError(`${partial} is not as long as it was.`)
      await file.truncate(offset)
      return new LocalAppending(file, offset, { partial, whole })
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async read(key: ObjectKey, range?: ByteRange): Promise<Readable> {
    const file = await this.#open(key)
    try {
      return new FileStream(file, range ?? { start: 0, end: (await file.stat()).size - 1 })
    } catch (error) {
      await file.close()
      throw error
    }
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return sizeOf(this.#path(key))
  }

  async remove(key: ObjectKey): Promise<void> {
    const path = this.#path(key)
    await rm(path, { force: true })
    await rm(path + PARTIAL, { force: true })
  }

  async *list(): AsyncIterable<ObjectKey> {
    for (const folder of await namesIn(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      for (const name of await namesIn(join(this.directory, folder))) {
        const key = name.replace(PARTIAL, '')
        if (isKey(key) && key.startsWith(folder)) yield key
      }
    }
  }

  /** In 256 folders, for a directory with a million files is slow to list. */
  #path(key: ObjectKey): string {
    assertKey(key)
    return join(this.directory, key.slice(0, 2), key)
  }

  async #handOver(key: ObjectKey, prefix: string): Promise<string> {
    // The proxy's own answer for what is missing would be a page of its own.
    if ((await sizeOf(this.#path(key))) === undefined) throw missing(key)
    return `${prefix}${key.slice(0, 2)}/${key}`
  }

  async #open(key: ObjectKey): Promise<FileHandle> {
    try {
      return await open(this.#path(key))
    } catch (error) {
      if (isMissingFile(error)) throw missing(key, error)
      throw error
    }
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx', this.#modes.file)
    } catch (error) {
      if (!isMissingFile(error)) throw error
      await this.#prepare(dirname(path))
      return open(path, 'wx', this.#modes.file)
    }
  }

  /** Makes a folder that is there after a power loss too. */
  async #prepare(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: this.#modes.folder })
    if (first === undefined) return
    for (let made = folder; made.startsWith(dirname(first)); made = dirname(made)) await syncDirectory(made)
  }
}

function missing(key: ObjectKey, cause?: unknown): ObjectMissing {
  return new ObjectMissing(`There is no object ${key}.`, { cause })
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissingFile(error)) return []
    throw error
  }
}
