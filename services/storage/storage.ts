import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { Rounds } from '#lib/waiting/rounds.ts'
import { FilesDisabled, StorageQuotaReached } from './errors.ts'
import { newKey } from './keys.ts'
import * as queries from './queries.ts'
import { type Allowance, firstBytes, Reservation, SMALLEST_BYTES } from './reservation.ts'

// Which objects the store may have. A row says so before the first byte is written, and goes when the bytes are gone, so
// that whatever a crash leaves is found by the sweep (jobs.ts). Whose the objects are, and who may, is for the callers.

/** The parts that work on objects needs. */
export interface StorageContext {
  readonly storage: {
    /** Undefined where the service takes no files. */
    readonly store: ObjectStore | undefined
    /** The database for what has to be done when a client is gone, too. */
    readonly db: Database
    /** Makes rows of objects durable, those of all who write at the moment at once; returns those that are there. */
    readonly flushes: Rounds<string, ReadonlySet<string>>
    /** Milliseconds after the last sign of a writer at which its object counts as given up. */
    readonly leaseMs: number
    /** How to stop what this process adds to objects that come in several requests, by their keys. */
    readonly here: Map<string, () => void>
  }
  readonly log: Log
}

/** Makes the storage of a process. */
export function storageOf(
  options: Pick<StorageContext['storage'], 'store' | 'db' | 'leaseMs'>,
): StorageContext['storage'] {
  const { db } = options
  return { ...options, flushes: new Rounds((keys) => queries.flushObjects(db, keys)), here: new Map() }
}

/**
 * Returns the store.
 *
 * @throws FilesDisabled
 */
export function storeOf({ storage: { store } }: Pick<StorageContext, 'storage'>): ObjectStore {
  if (store === undefined) throw new FilesDisabled()
  return store
}

/** Returns how many bytes count for a user or organization, and how many an admin lets it have. */
export function usage({ storage }: Pick<StorageContext, 'storage'>, space: string): Promise<queries.Usage> {
  return queries.selectUsage(storage.db, space)
}

/** Has an object stay while the transaction lasts; returns false if no file has it any more. */
export function hold(db: Database, key: string): Promise<boolean> {
  return queries.holdObject(db, key)
}

/** An object that is being written, and the space that is taken for it. Its lease is renewed until `keep` or `discard`. */
export class Writing {
  readonly key: string
  readonly #db: Database
  readonly #reservation: Reservation
  readonly #leaseMs: number
  #deadline = 0
  #isKept = false
  #renewals: NodeJS.Timeout | undefined

  private constructor(
    db: Database,
    key: string,
    { leaseMs, ...reservation }: Allowance & { readonly taken: number; readonly leaseMs: number },
  ) {
    this.#db = db
    this.key = key
    this.#reservation = new Reservation(db, { key, ...reservation })
    this.#leaseMs = leaseMs
  }

  /**
   * Takes space for an object.
   *
   * @param options.quota bytes that there may be; null for what is never refused
   * @param options.length bytes that it will have, if that is known
   * @param options.replaced the object whose place it takes, which does not count beside it
   * @throws StorageQuotaReached, FilesDisabled
   */
  static async begin(
    { storage }: Pick<StorageContext, 'storage'>,
    options: {
      space: string
      quota: number | null
      length: number | undefined
      replaced?: string | undefined
    },
  ): Promise<Writing> {
    const { space, quota, length, replaced } = options
    const { kind } = storeOf({ storage })
    const { db, flushes, leaseMs } = storage
    const key = newKey()
    const begun = performance.now()
    for (const taken of firstBytes(length)) {
      const object = { key, store: kind, space, bytes: taken, leaseMs }
      if (!(await queries.insertObjectUnflushed(db, object, { quota, replaced }))) continue
      // Before the first byte, or a crash of the database could leave bytes that no row names.
      if (!(await flushes.join(key)).has(key)) throw new Error('the database has lost an object')
      const allowance = { quota: quota ?? Number.MAX_SAFE_INTEGER, replaced }
      const writing = new Writing(db, key, { ...allowance, taken, leaseMs })
      writing.#hold(begun)
      return writing
    }
    throw new StorageQuotaReached()
  }

  /** Holds the object from a time on, and renews that often enough for some renewals to fail. */
  #hold(since: number): void {
    this.#deadline = since + this.#leaseMs
    this.#renewals = setInterval(() => this.#renew(), this.#leaseMs / 4).unref()
  }

  async #renew(): Promise<void> {
    const asked = performance.now()
    try {
      if (await queries.renewObject(this.#db, this.key, this.#leaseMs)) this.#deadline = asked + this.#leaseMs
    } catch {
      // The next one may work, and without any the deadline stands.
    }
  }

  /**
   * Takes what is needed for an object of this many bytes, and refuses to go on when its lease is over. Mostly there is
   * nothing to wait for.
   *
   * @throws StorageQuotaReached
   */
  reach(bytes: number): Promise<void> | undefined {
    if (performance.now() > this.#deadline) throw new Error('the lease of an object is over')
    return this.#reservation.reach(bytes)
  }

  /** Whether `keep` was called, and not for nothing. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** Says, over the connection of a transaction, that a file has the object now. */
  async keep(db: Database, bytes: number): Promise<void> {
    clearInterval(this.#renewals)
    if (!(await queries.keepObject(db, this.key, Math.max(bytes, SMALLEST_BYTES))))
      throw new Error('the lease of an object is over')
    this.#isKept = true
  }

  /** Frees the space, and removes what was written; what can't be done now is for the sweep. */
  async discard({ storage, log }: StorageContext): Promise<void> {
    clearInterval(this.#renewals)
    try {
      // A transaction may have been committed though its answer was lost: then a file has the object.
      if (!(await queries.doomObject(this.#db, this.key))) return
      await storage.store?.remove(this.key)
      await queries.deleteRemoved(this.#db, [this.key])
    } catch (error) {
      log.warn({ err: error }, 'an unfinished object is left for the sweep')
    }
  }
}
