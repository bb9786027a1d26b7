import type { Readable } from 'node:stream'
import type { Appending, Progress } from './appending.ts'

/** The name of an object: 128 random bits in hexadecimal. No name from outside ever gets into a path. */
export type ObjectKey = string

const KEY = /^[0-9a-f]{32}$/

/** The first and the last byte of a part of an object, counted from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** How the store itself sends an object. */
export interface Presentation {
  readonly type: string
  readonly disposition: string
}

/**
 * Where the bytes of files are. An object is written once, and is there whole and durably or not at all. Which objects
 * there may be is for the database to say: see services/storage/storage.ts.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3'
  /** Bytes that an object may have that is written by `resume`. */
  readonly largestAppended: number
  /**
   * Writes an object. When it rejects, part of it may be left, which `remove` removes.
   *
   * @param length how many bytes `pieces` has, if that is known
   */
  write(key: ObjectKey, pieces: AsyncIterable<Uint8Array>, length?: number): Promise<void>
  /** Goes on with an unfinished object, or begins one with `NOTHING`. */
  resume(key: ObjectKey, progress: Progress): Promise<Appending>
  /**
   * Opens an object, or a part of it.
   *
   * @throws ObjectMissing
   */
  read(key: ObjectKey, range?: ByteRange): Promise<Readable>
  /**
   * Returns a URL at which its holder reads an object from the store itself, for a minute. Undefined where all that is read
   * goes through the service.
   */
  readonly locate: ((key: ObjectKey, as: Presentation) => Promise<string>) | undefined
  /** Returns how many bytes an object has; undefined if it is not there. */
  size(key: ObjectKey): Promise<number | undefined>
  /** Removes an object and whatever is left of it; nothing happens if it is not there. */
  remove(key: ObjectKey): Promise<void>
  /** Returns the keys of all objects, whole and unfinished ones. */
  list(): AsyncIterable<ObjectKey>
}

/** Throws for what is not a key, so that a mistake can't become a path. */
export function assertKey(key: string): void {
  if (!KEY.test(key)) throw new TypeError('an object is named by 32 hexadecimal digits')
}
