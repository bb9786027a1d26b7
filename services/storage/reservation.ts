import type { Database } from '#lib/database/database.ts'
import { StorageQuotaReached } from './errors.ts'
import * as queries from './queries.ts'

/** Bytes that the smallest object counts for, as on most disks: a quota bounds how many there can be, too. */
export const SMALLEST_BYTES = 4096

/** Bytes that are taken for an object whose length is not known, at first. */
const FIRST_BYTES = 64 * 1024

/** Bytes that are taken at once while it grows. */
const LARGEST_STEP = 64 * 1024 * 1024

/** Bytes that are taken for an object before it comes: so many, or else the next fewer, where it may have less. */
export function firstBytes(length: number | undefined): readonly number[] {
  return length === undefined ? [FIRST_BYTES, SMALLEST_BYTES] : [Math.max(length, SMALLEST_BYTES)]
}

/** A quota, and what does not count for it. */
export interface Allowance {
  /** Bytes that there may be. */
  readonly quota: number
  /** The object whose place the new one takes: it is there until all of that has come. */
  readonly replaced?: string | undefined
}

/** The space that is taken for an object. */
export class Reservation {
  readonly #db: Database
  readonly #key: string
  readonly #allowance: Allowance
  #taken: number

  constructor(
    db: Database,
    { key, taken, ...allowance }: Allowance & { readonly key: string; readonly taken: number },
  ) {
    this.#db = db
    this.#key = key
    this.#allowance = allowance
    this.#taken = taken
  }

  /**
   * Takes what is needed for an object of this many bytes. Mostly there is nothing to wait for.
   *
   * @throws StorageQuotaReached
   */
  reach(bytes: number): Promise<void> | undefined {
    return bytes > this.#taken ? this.#grow(bytes - this.#taken) : undefined
  }

  async #grow(needed: number): Promise<void> {
    const step = Math.max(needed, Math.min(this.#taken, LARGEST_STEP))
    // There may be less left than a step.
    for (const bytes of new Set([step, needed])) {
      if (!(await queries.growObject(this.#db, this.#key, bytes, this.#allowance))) continue
      this.#taken += bytes
      return
    }
    throw new StorageQuotaReached()
  }
}
