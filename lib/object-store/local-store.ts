import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { assertKey, type ByteRange, type ObjectKey, type ObjectStore } from './object-store.ts'
import { ObjectMissing } from './object-store-error.ts'

/** End of the name of an object that is being written. */
const PARTIAL = '.part'

/** Bytes that are gathered for one write. */
const BATCH_BYTES = 1024 * 1024

/** Bytes that are read at once. */
const READ_BYTES = 256 * 1024

/** Objects as files of a directory that the service's user alone may read. */
export class LocalStore implements ObjectStore {
  readonly kind = 'local'
  readonly directory: string

  constructor(directory: string) {
    this.directory = resolve(directory)
  }

  async write(key: ObjectKey, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(key)
    await this.#prepare(dirname(path))
    const file = await open(path + PARTIAL, 'wx', 0o600)
    try {
      await writeAll(file, pieces)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(path + PARTIAL, path)
    await syncDirectory(dirname(path))
  }

  async read(key: ObjectKey, range?: ByteRange): Promise<Readable> {
    const file = await this.#open(key)
    return createReadStream('', { fd: file, ...range, highWaterMark: READ_BYTES })
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    try {
      return (await stat(this.#path(key))).size
    } catch (error) {
      if (isMissingFile(error)) return undefined
      throw error
    }
  }

  async remove(key: ObjectKey): Promise<void> {
    const path = this.#path(key)
    await rm(path, { force: true })
    await rm(path + PARTIAL, { force: true })
  }

  async *list(): AsyncIterable<ObjectKey> {
    for (const folder of await namesIn(this.directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      for (const name of await namesIn(join(this.directory, folder))) yield name.replace(PARTIAL, '')
    }
  }

  /** In 256 folders, for a directory with a million files is slow to list. */
  #path(key: ObjectKey): string {
    assertKey(key)
    return join(this.directory, key.slice(0, 2), key)
  }

  async #open(key: ObjectKey): Promise<FileHandle> {
    try {
      return await open(this.#path(key))
    } catch (error) {
      if (isMissingFile(error)) throw new ObjectMissing(`There is no object ${key}.`, { cause: error })
      throw error
    }
  }

  /** Makes a folder that is there after a power loss too. */
  async #prepare(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = folder; made.startsWith(dirname(first)); made = dirname(made)) await syncDirectory(made)
  }
}

async function writeAll(file: FileHandle, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  let batch: Uint8Array[] = []
  let length = 0
  const flush = async () => {
    let at = 0
    // A write may take less than it is offered.
    for (let rest = batch; at < length; rest = after(batch, at)) at += (await file.writev(rest)).bytesWritten
    batch = []
    length = 0
  }
  for await (const piece of pieces) {
    batch.push(piece)
    length += piece.length
    if (length >= BATCH_BYTES) await flush()
  }
  await flush()
}

/** The bytes of these pieces after the first `count`. */
function after(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count
  return pieces.flatMap((piece) => {
    const skipped = Math.min(left, piece.length)
    left -= skipped
    return skipped === piece.length ? [] : [piece.subarray(skipped)]
  })
}

/** Without it a power loss may take back what was made or renamed in a directory. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
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
