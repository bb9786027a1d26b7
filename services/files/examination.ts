import { createHash } from 'node:crypto'
import { ServiceError } from '#lib/errors.ts'
import { FileTooLarge, FileTypeNotAllowed, UploadInterrupted } from './errors.ts'
import { EXAMINED_BYTES, mediaTypeOf } from './media-type.ts'
import type { WrittenContent } from './queries.ts'

interface Rules {
  /** Bytes that there may be. */
  readonly limit: number
  /** Types that they may be of; any, without. */
  readonly types: ReadonlySet<string> | undefined
  /** Takes space for so many bytes in all. */
  reach(bytes: number): Promise<void> | undefined
}

/** Looks at bytes while they pass: counts them, computes their digest, and finds their type. */
export class Examination {
  readonly #rules: Rules
  readonly #hash = createHash('sha256')
  #size = 0
  #beginning: Buffer = Buffer.alloc(0)
  #mediaType: string | undefined

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /**
   * Passes bytes on, and throws as soon as something is wrong with them. They can come in several streams.
   *
   * @throws FileTooLarge, FileTypeNotAllowed, StorageQuotaReached, UploadInterrupted
   */
  async *watch(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of pieces) {
        this.#size += piece.length
        if (this.#size > this.#rules.limit) throw new FileTooLarge()
        const growth = this.#rules.reach(this.#size)
        if (growth !== undefined) await growth
        this.#hash.update(piece)
        if (this.#mediaType === undefined) await this.#look(piece)
        yield piece
      }
    } catch (error) {
      throw error instanceof ServiceError ? error : new UploadInterrupted({ cause: error })
    }
  }

  /** Bytes that have passed. */
  get size(): number {
    return this.#size
  }

  /**
   * Returns what the bytes were, when all have passed.
   *
   * @throws FileTypeNotAllowed
   */
  async result(): Promise<Omit<WrittenContent, 'key'>> {
    const media_type = this.#mediaType ?? (await this.#decide())
    return { media_type, size: this.#size, sha256: this.#hash.digest() }
  }

  async #look(piece: Uint8Array): Promise<void> {
    this.#beginning = Buffer.concat([
      this.#beginning,
      piece.subarray(0, EXAMINED_BYTES - this.#beginning.length),
    ])
    if (this.#beginning.length === EXAMINED_BYTES) await this.#decide()
  }

  async #decide(): Promise<string> {
    this.#mediaType = await mediaTypeOf(this.#beginning)
    if (this.#rules.types?.has(this.#mediaType) === false) throw new FileTypeNotAllowed()
    return this.#mediaType
  }
}
