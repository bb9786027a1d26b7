import { type FileHandle, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '#lib/files/sync-directory.ts'
import type { Appending, Progress } from './appending.ts'
import { FileWriter } from './file-writer.ts'

/** Adds to an unfinished file, which gets its name when it is finished. */
export class LocalAppending implements Appending {
  readonly isOutgrown = false
  readonly #file: FileHandle
  readonly #writer: FileWriter
  readonly #names: { readonly partial: string; readonly whole: string }

  constructor(file: FileHandle, offset: number, names: { partial: string; whole: string }) {
    this.#file = file
    this.#writer = new FileWriter(file, offset)
    this.#names = names
  }

  write(piece: Uint8Array): Promise<void> | undefined {
    return this.#writer.write(piece)
  }

  async sync(): Promise<Progress> {
    await this.#writer.flush()
    const offset = this.#writer.written
    await this.#file.datasync()
    return { offset, state: null }
  }

  settle(): Promise<Progress> {
    return this.sync()
  }

  async finish(): Promise<void> {
    const { partial, whole } = this.#names
    await rename(partial, whole)
    await syncDirectory(dirname(whole))
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
