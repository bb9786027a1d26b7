import type { Database } from '#lib/database/database.ts'
import type { Appending, Progress } from '#lib/object-store/appending.ts'
import { answered } from './answered.ts'
import { insertAppend } from './append-queries.ts'
import { ObjectTaken, StorageQuotaReached } from './errors.ts'
import { newKey } from './keys.ts'
import { Lease } from './lease.ts'
import * as queries from './queries.ts'
import { firstBytes, Reservation, SMALLEST_BYTES } from './reservation.ts'
import { type StorageContext, storeOf } from './storage.ts'

type Ctx = Pick<StorageContext, 'storage'>

interface NewAppend {
  readonly space: string
  readonly quota: number
  /** Bytes that it will have, if that is known. */
  readonly length: number | undefined
  /** Milliseconds that there are for all requests. */
  readonly lifetimeMs: number
}

/**
 * Takes space for an object that will come in several requests, over the connection of a transaction.
 *
 * @returns its key
 * @throws StorageQuotaReached, FilesDisabled
 */
export async function reserve(ctx: Ctx, db: Database, append: NewAppend): Promise<string> {
  const key = await reserveWhole(ctx, db, append)
  await insertAppend(db, key)
  return key
}

/**
 * Takes space for an object that comes to the store without us, over the connection of a transaction.
 *
 * @returns its key
 * @throws StorageQuotaReached, FilesDisabled
 */
export async function reserveWhole(ctx: Ctx, db: Database, append: NewAppend): Promise<string> {
  const { space, quota, length, lifetimeMs } = append
  const key = newKey()
  const object = { key, store: storeOf(ctx).kind, space, leaseMs: lifetimeMs }
  for (const bytes of firstBytes(length))
    if (await queries.insertObject(db, { ...object, bytes }, quota)) return key
  throw new StorageQuotaReached()
}

/** Says, over the connection of a transaction, that an object which came without us may stay for so long. */
export function extend(db: Database, key: string, lifetimeMs: number): Promise<boolean> {
  return queries.renewObject(db, key, lifetimeMs)
}

/**
 * Says, over the connection of a transaction, that a file has an object which came without us.
 *
 * @throws ObjectTaken
 */
export async function keepWhole(db: Database, key: string, size: number): Promise<void> {
  if (!(await queries.keepObject(db, key, Math.max(size, SMALLEST_BYTES)))) throw new ObjectTaken()
}

/** Says, over the connection of a transaction, that no file gets an object which came without us. It is removed later. */
export async function dropWhole(db: Database, key: string): Promise<void> {
  await queries.doomObject(db, key)
}

/** Has all that come to this process settle, so that they can go on elsewhere. */
export function stopAppending({ storage }: Ctx): void {
  for (const stop of storage.here.values()) stop()
}

interface AppenderOptions {
  readonly quota: number
  /** Has the source of the bytes end. */
  stop(): void
  /** Whether the bytes count only when all have come; without `settle` none of them does. */
  readonly allOrNothing: boolean
}

/** Adds to an object. `end` is always called last. */
export class Appender {
  readonly #key: string
  readonly #lease: Lease
  readonly #appending: Appending
  readonly #reservation: Reservation
  readonly #ended: () => void
  /** Bytes that were taken, durable or not. */
  #offset: number

  private constructor(
    key: string,
    lease: Lease,
    parts: { appending: Appending; reservation: Reservation; ended: () => void },
  ) {
    this.#key = key
    this.#lease = lease
    this.#offset = lease.progress.offset
    this.#appending = parts.appending
    this.#reservation = parts.reservation
    this.#ended = parts.ended
  }

  /**
   * Goes on with an object, and fences off those who did so before.
   *
   * @returns undefined if it is finished or gone
   * @throws ObjectTaken, FileStoreUnavailable, FilesDisabled
   */
  static async begin(
    ctx: Ctx,
    key: string,
    { quota, stop, allOrNothing }: AppenderOptions,
  ): Promise<Appender | undefined> {
    const { db, here } = ctx.storage
    const store = storeOf(ctx)
    const got = await Lease.take(ctx.storage, key, stop)
    if (got === undefined) return undefined
    const { lease, taken } = got
    here.set(key, stop)
    const ended = () => here.get(key) === stop && here.delete(key)
    try {
      const appending = await answered(store.resume(key, lease.progress))
      if (!allOrNothing) lease.measure = () => appending.sync()
      const reservation = new Reservation(db, { key, quota, taken })
      return new Appender(key, lease, { appending, reservation, ended })
    } catch (error) {
      ended()
      await lease.end()
      throw error
    }
  }

  /** Bytes that it has. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Takes space for so many bytes in all.
   *
   * @throws StorageQuotaReached
   */
  reach(bytes: number): Promise<void> | undefined {
    return this.#reservation.reach(bytes)
  }

  /**
   * Takes a piece, which nobody else uses afterwards. Mostly there is nothing to wait for.
   *
   * @throws ObjectTaken, StorageQuotaReached, FileStoreUnavailable
   */
  async write(piece: Uint8Array): Promise<void> {
    this.#lease.assertHeld()
    const end = this.#offset + piece.length
    await this.reach(end)
    // It may have no length any more afterwards.
    await answered(Promise.resolve(this.#appending.write(piece)))
    this.#offset = end
  }

  /**
   * Makes durable what was taken, and ends the lease.
   *
   * @throws ObjectTaken, FileStoreUnavailable
   */
  async settle(): Promise<void> {
    await this.#lease.settle(await this.#settleAll())
  }

  async #settleAll(): Promise<Progress> {
    if (this.#appending.isOutgrown) await this.#lease.note(await this.#appending.sync())
    return answered(this.#appending.settle())
  }

  /**
   * Makes an object of it, which a file gets in a transaction that calls `keep`.
   *
   * @throws ObjectTaken, FileStoreUnavailable
   */
  async finish(): Promise<void> {
    const all = await this.#settleAll()
    this.#lease.measure = async () => all
    // The next one finds all of it, should this process end now.
    await this.#lease.renew()
    this.#lease.assertHeld()
    await answered(this.#appending.finish())
  }

  /**
   * Says, over the connection of a transaction, that a file has the object now.
   *
   * @throws ObjectTaken
   */
  async keep(db: Database): Promise<void> {
    if (!(await queries.keepObject(db, this.#key, Math.max(this.#offset, SMALLEST_BYTES))))
      throw new ObjectTaken()
    await this.#lease.close(db)
  }

  /** Releases all that it still has. */
  async end(): Promise<void> {
    this.#ended()
    await this.#lease.end()
    await this.#appending.close().catch(() => undefined)
  }
}
