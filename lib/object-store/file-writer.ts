import type { FileHandle } from 'node:fs/promises'
import { free } from './free.ts'

/** Bytes that are gathered for one write. */
const BATCH_BYTES = 512 * 1024

/** Writes pieces to a file in batches, and frees them. */
export class FileWriter {
  readonly #file: FileHandle
  #batch: Uint8Array[] = []
  #waiting = 0
  #written: number
  #last: Promise<void> = Promise.resolve()

  /** @param position where to begin */
  constructor(file: FileHandle, position = 0) {
    this.#file = file
    this.#written = position
  }

  /** Where the next batch goes: all before it was handed to the system. */
  get written(): number {
    return this.#written
  }

  /**
   * Takes a piece. Mostly there is nothing to wait for: one batch is gathered while the one before is being written, so that
   * neither the disk nor the network waits for the other.
   */
  write(piece: Uint8Array): Promise<void> | undefined {
    this.#batch.push(piece)
    this.#waiting += piece.length
    if (this.#waiting < BATCH_BYTES) return undefined
    const before = this.#last
    void this.flush()
    return before
  }

  /** Writes what was gathered, after what is being written. Once that has failed, it always does. */
  flush(): Promise<void> {
    this.#last = this.#last.then(() => this.#writeBatch())
    this.#last.catch(() => undefined)
    return this.#last
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#waiting = 0
    // A write may take less than it is offered.
    let rest: readonly Uint8Array[] = batch
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.writev(rest, this.#written)
      this.#written += bytesWritten
      rest = after(rest, bytesWritten)
    }
    for (const piece of batch) free(piece)
  }
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
