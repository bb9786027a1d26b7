import { Readable } from 'node:stream'

/** Pieces of an object, and how they failed. */
export class Source {
  readonly #pieces: AsyncIterable<Uint8Array>
  failure: unknown

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces
  }

  stream(): Readable {
    return Readable.from(this.#read(), { objectMode: false })
  }

  async *#read() {
    try {
      yield* this.#pieces
    } catch (error) {
      this.failure = error
      throw error
    }
  }
}
