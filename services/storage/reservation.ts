import type { Database } from '#lib/database/database.ts'
import { StorageQuotaReached } from './errors.ts'
import * as queries from './queries.ts'

/** Bytes that the smallest object counts for, as on most disks: a quota bounds how many there can be, too. */
export const SMALLEST_BYTES = 4096

/** Bytes that are taken for an object whose length is not known, at first. */
const FIRST_BYTES = 64 * 1024

/** Bytes that are taken at once while it grows. */
const LARGEST_STEP = 64 * 1024 * 1024

/** Bytes that are taken for an object before it comes. */
export function firstBytes(length: number | undefined): number {
  return Math.max(length ?? FIRST_BYTES, SMALLEST_BYTES)
}

/** The space that is taken for an object. */
export class Reservation {
  readonly #db: Database
  readonly #key: string
  readonly #quota: number
  #taken: number

  constructor(db: Database, { key, quota, taken }: { key: string; quota: number; taken: number }) {
    this.#db = db
    this.#key = key
    this.#quota = quota
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
      if (!(await queries.growObject(this.#db, this.#key, bytes, this.#quota))) continue
      this.#taken += bytes
      return
    }
    throw new StorageQuotaReached()
  }
}
