import { createHash } from 'node:crypto'

/** Counts and digests what passes through it, and ends it with the piece that exceeds the limit. */
export class Measure {
  #size = 0
  readonly #hash = createHash('sha256')
  readonly #limit: number

  /** @param limit bytes */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit
  }

  async *through(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#size += piece.length
      this.#hash.update(piece)
      yield piece
      if (this.#size > this.#limit) return
    }
  }

  /** Size and digest of everything that has passed; to be called once. */
  result(): { size: number; sha256: string } {
    return { size: this.#size, sha256: this.#hash.digest('hex') }
  }
}
