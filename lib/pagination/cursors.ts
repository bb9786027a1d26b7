import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { JsonRow } from '#lib/database/json-query.ts'
import { JsonText } from '#lib/json-text.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import { InvalidCursor } from './errors.ts'

/** Bytes of the signature; 128 bits are beyond guessing. */
const TAG_LENGTH = 16

/**
 * Makes and reads the cursors of keyset-paged lists. A cursor is the position after which the next page
 * begins, signed together with the list's name, so that only what we gave out for a list is taken by it.
 */
export class Cursors {
  readonly #key: KeyObject

  /** @param secret key material that all instances share; the cursors' own key is derived from it */
  constructor(secret: string) {
    this.#key = deriveKey(secret, 'cursors')
  }

  /** Returns the cursor of `list` at `position`. */
  encode(list: string, position: string): string {
    const text = Buffer.from(position)
    return Buffer.concat([this.#tag(list, text), text]).toString('base64url')
  }

  /**
   * Returns the position of a cursor of `list`.
   *
   * @throws InvalidCursor when it is not one of ours
   */
  decode(list: string, cursor: string): string {
    const bytes = Buffer.from(cursor, 'base64url')
    const tag = bytes.subarray(0, TAG_LENGTH)
    const text = bytes.subarray(TAG_LENGTH)
    // Comparing the encoding refuses other spellings of the same bytes, which Buffer.from forgives.
    const canonical = bytes.toString('base64url') === cursor
    if (!canonical || tag.length !== TAG_LENGTH || !timingSafeEqual(tag, this.#tag(list, text))) {
      throw new InvalidCursor()
    }
    return text.toString()
  }

  /** Makes a page of rows that were asked for with one more than `limit`, which tells whether there is a next. */
  page<T extends { id: string }>(
    list: string,
    rows: T[],
    limit: number,
  ): { data: T[]; next_cursor: string | null } {
    return this.pageBy(list, rows, limit, ({ id }) => id)
  }

  /** The same for rows whose position is not their id. */
  pageBy<T>(
    list: string,
    rows: readonly T[],
    limit: number,
    positionOf: (row: T) => string,
  ): { data: T[]; next_cursor: string | null } {
    const data = rows.slice(0, limit)
    const last = rows.length > limit ? data.at(-1) : undefined
    return { data, next_cursor: last === undefined ? null : this.encode(list, positionOf(last)) }
  }

  /** The same for rows that are JSON, each with its `id`. */
  jsonPage<T>(list: string, rows: readonly JsonRow[], limit: number): JsonText<T> {
    const texts = rows.slice(0, limit).map(({ json }) => json)
    const last = rows.length > limit ? texts.at(-1) : undefined
    const next = last === undefined ? 'null' : `"${this.encode(list, JSON.parse(last).id)}"`
    return new JsonText(`{"data":[${texts.join(',')}],"next_cursor":${next}}`)
  }

  #tag(list: string, position: Buffer): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${list}\0`)
      .update(position)
      .digest()
      .subarray(0, TAG_LENGTH)
  }
}
