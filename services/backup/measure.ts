import { createHash } from 'node:crypto'

/** Counts and digests what passes through it. */
export class Measure {
  #size = 0
  readonly #hash = createHash('sha256')

  async *through(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#size += piece.length
      this.#hash.update(piece)
      yield piece
    }
  }

  /** Of all that has passed; to be called once. */
  result(): { size: number; sha256: string } {
    return { size: this.#size, sha256: this.#hash.digest('hex') }
  }
}
