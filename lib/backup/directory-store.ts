import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { syncDirectory } from '#lib/files/sync-directory.ts'
import { BackupError } from './backup-error.ts'
import type { BackupStore } from './store.ts'

const PARTIAL = '.partial'

/** Milliseconds after which an unfinished file belongs to nobody any more. */
const ABANDONED_AFTER_MS = 24 * 3_600_000

/** A directory, readable by its owner alone: a dump holds what the database does. */
export class DirectoryStore implements BackupStore {
  readonly place: string

  constructor(path: string) {
    this.place = resolve(path)
  }

  async list(): Promise<string[]> {
    try {
      return (await readdir(this.place)).filter((name) => !name.endsWith(PARTIAL))
    } catch (error) {
      if (isMissingFile(error)) return []
      throw error
    }
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    await mkdir(this.place, { recursive: true, mode: 0o700 })
    await this.#removeAbandoned()
    const path = join(this.place, name)
    const partial = path + PARTIAL
    try {
      const file = await open(partial, 'wx', 0o600)
      try {
        for await (const piece of pieces) await file.writeFile(piece)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(partial, path)
      await syncDirectory(this.place)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
  }

  async read(name: string): Promise<AsyncIterable<Uint8Array>> {
    const path = join(this.place, name)
    try {
      await stat(path)
    } catch (error) {
      if (isMissingFile(error)) throw new BackupError(`There is no ${path}.`)
      throw error
    }
    return createReadStream(path)
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.place, name), { force: true })
  }

  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.place)) {
      if (!name.endsWith(PARTIAL)) continue
      const path = join(this.place, name)
      const { mtimeMs } = await stat(path)
      if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true })
    }
  }
}
