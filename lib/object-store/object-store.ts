import type { Readable } from 'node:stream'
import type { Appending, Progress } from './appending.ts'

/** The name of an object: 128 bits in hexadecimal, 120 of them random. No name from outside ever gets into a path. */
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

/** Objects whose bytes clients send to the store itself, in parts. */
export interface DirectUploads {
  /** Begins one, and returns the store's id of it. */
  begin(key: ObjectKey): Promise<string>
  /** Returns a URL to which its holder sends a part of exactly so many bytes. Parts are counted from 1. */
  sign(
    key: ObjectKey,
    id: string,
    part: { readonly number: number; readonly bytes: number; readonly seconds: number },
  ): Promise<string>
  /**
   * Makes the object of its parts, after which nobody can change it.
   *
   * @param sizes of all parts
   * @returns numbers of parts that are missing or have another size; then there is no object
   */
  complete(key: ObjectKey, id: string, sizes: readonly number[]): Promise<number[]>
}

/**
 * Where the bytes of files are. An object is written once, and is there whole and durably when `write` or `finish` has
 * resolved; a crash before that can leave a part of it. Which objects there may be, and which are whole, is for the database
 * to say: see services/storage/storage.ts.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3'
  /** Bytes that an object may have that is written by `resume`. */
  readonly largestAppended: number
  /**
   * Writes an object. When it rejects, part of it may be left, which `remove` removes.
   *
   * @param pieces which nobody else uses afterwards: their memory is freed
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
  /**
   * Returns the path at which the proxy in front of the service finds an object. Undefined where it finds none.
   *
   * @throws ObjectMissing
   */
  readonly handOver: ((key: ObjectKey) => Promise<string>) | undefined
  /** Undefined where all bytes pass through the service. */
  readonly direct: DirectUploads | undefined
  /** Returns how many bytes an object has; undefined if it is not there. */
  size(key: ObjectKey): Promise<number | undefined>
  /** Removes an object and whatever is left of it; nothing happens if it is not there. */
  remove(key: ObjectKey): Promise<void>
  /** Returns the keys of all objects, whole and unfinished ones. */
  list(): AsyncIterable<ObjectKey>
}

/** Whether a name can be that of an object: others of a folder or a bucket are not ours. */
export function isKey(name: string): boolean {
  return KEY.test(name)
}

/** Throws for what is not a key, so that a mistake can't become a path. */
export function assertKey(key: string): void {
  if (!isKey(key)) throw new TypeError('an object is named by 32 hexadecimal digits')
}
