import type { FileHandle } from 'node:fs/promises'

/** Bytes that are written before the disk is asked for them. */
const STEP_BYTES = 64 * 1024 * 1024

/** Has the disk take a file while its bytes come, so that there is little to wait for after the last. */
export class Flushing {
  readonly #file: FileHandle
  #asked = 0
  #under: Promise<void> | undefined

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Says how much was written. Nobody waits for the disk: while it is at work, it is not asked for more. */
  reach(written: number): void {
    if (written - this.#asked < STEP_BYTES || this.#under !== undefined) return
    this.#asked = written
    const flushed = this.#file.datasync()
    this.#under = flushed.then(() => {
      this.#under = undefined
    })
    // It is waited for at the end, and fails there.
    this.#under.catch(() => undefined)
  }

  /** Makes all durable that was written. */
  async finish(): Promise<void> {
    await this.#under
    await this.#file.datasync()
  }
}
