import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '#lib/database/database.ts'
import type { Progress } from '#lib/object-store/appending.ts'
import * as queries from './append-queries.ts'
import { ObjectTaken } from './errors.ts'
import type { StorageContext } from './storage.ts'

/** Milliseconds after the last renewal at which a holder is taken for gone. */
export const LEASE_MS = 4000

/** Milliseconds between renewals, each of which also tells how much is durable. */
const RENEWAL_MS = 1000

/** Milliseconds before its end at which a holder does not trust its lease any more. */
const MARGIN_MS = 1000

/** Milliseconds between looks at an object that somebody else has. */
const LOOK_MS = 50

/**
 * The right to add to an object that comes in several requests, to any instance. Who asks later gets it as soon as the holder
 * has settled, or its lease is over. It is a row, and no connection of the database is held meanwhile.
 */
export class Lease {
  readonly #db: Database
  readonly #key: string
  readonly #epoch: string
  readonly #renewals: NodeJS.Timeout
  #deadline: number
  #renewing: Promise<void> = Promise.resolve()
  #state: 'held' | 'asked for' | 'settled' = 'held'
  #stop: () => void
  /** How much is durable, as the last renewal said it. */
  progress: Progress
  /** Says what is durable. Without it, no renewal says more than the one before. */
  measure: (() => Promise<Progress>) | undefined

  private constructor(
    db: Database,
    key: string,
    { epoch, since, progress, stop }: { epoch: string; since: number; progress: Progress; stop: () => void },
  ) {
    this.#db = db
    this.#key = key
    this.#epoch = epoch
    this.#deadline = since + LEASE_MS - MARGIN_MS
    this.progress = progress
    this.#stop = stop
    this.#renewals = setInterval(() => void this.renew().catch(() => undefined), RENEWAL_MS).unref()
  }

  /**
   * Takes an object as soon as its holder has settled, or is gone.
   *
   * @param stop called when somebody else asks for it
   * @returns undefined if it is finished or gone
   * @throws ObjectTaken if somebody else has asked meanwhile
   */
  static async take(
    { db, here }: StorageContext['storage'],
    key: string,
    stop: () => void,
  ): Promise<{ lease: Lease; taken: number } | undefined> {
    let since = performance.now()
    const asked = await queries.askForObject(db, key, LEASE_MS)
    if (asked === undefined) return undefined
    const { epoch } = asked
    if (!asked.held) here.get(key)?.()
    for (let isHeld = asked.held; !isHeld; ) {
      await sleep(LOOK_MS)
      since = performance.now()
      const looked = await queries.takeObject(db, key, { epoch, leaseMs: LEASE_MS })
      if (looked === undefined) throw new ObjectTaken()
      isHeld = looked.held
    }
    const row = await queries.selectAppend(db, key)
    if (row === undefined) return undefined
    const progress = { offset: row.received, state: row.state }
    return { lease: new Lease(db, key, { epoch, since, progress, stop }), taken: row.taken }
  }

  /** @throws ObjectTaken */
  assertHeld(): void {
    if (this.#state !== 'held' || performance.now() > this.#deadline) throw new ObjectTaken()
  }

  /** Says how much is durable. One waits for the one before. */
  renew(): Promise<void> {
    const renewed = this.#renewing.then(() => this.#renew())
    this.#renewing = renewed.catch(() => undefined)
    return renewed
  }

  async #renew(): Promise<void> {
    if (this.#state !== 'held') return
    const asked = performance.now()
    const progress = (await this.measure?.()) ?? this.progress
    const lease = { epoch: this.#epoch, leaseMs: LEASE_MS, progress }
    if (await queries.renewAppend(this.#db, this.#key, lease)) {
      this.progress = progress
      this.#deadline = asked + LEASE_MS - MARGIN_MS
    } else {
      this.#state = 'asked for'
      this.#stop()
    }
  }

  /**
   * Says how much is durable, also when somebody else has asked for the object.
   *
   * @throws ObjectTaken if the lease was over
   */
  async note(progress: Progress): Promise<void> {
    await this.#renewing
    if (!(await queries.noteAppend(this.#db, this.#key, { epoch: this.#epoch, progress })))
      throw new ObjectTaken()
    this.progress = progress
  }

  /**
   * Ends it, and says how much is durable.
   *
   * @throws ObjectTaken if the lease was over, and then the progress does not count
   */
  async settle(progress: Progress): Promise<void> {
    clearInterval(this.#renewals)
    await this.#renewing
    if (!(await queries.settleAppend(this.#db, this.#key, { epoch: this.#epoch, progress })))
      throw new ObjectTaken()
    this.#state = 'settled'
  }

  /**
   * Says, over the connection of a transaction, that nothing is to be added any more.
   *
   * @throws ObjectTaken
   */
  async close(db: Database): Promise<void> {
    if (!(await queries.deleteAppend(db, this.#key, this.#epoch))) throw new ObjectTaken()
  }

  /** Ends it if that was not done, with what the last renewal said. */
  async end(): Promise<void> {
    if (this.#state !== 'settled') await this.settle(this.progress).catch(() => undefined)
  }
}

/** How many bytes of an object are durable; undefined if it is finished or gone. */
export async function received(
  { storage }: Pick<StorageContext, 'storage'>,
  key: string,
): Promise<number | undefined> {
  return (await queries.selectAppend(storage.db, key))?.received
}

/** The same once the one who adds to it has settled, so that the next can go on there. It takes no longer than a lease. */
export async function settled(
  { storage: { db, here } }: Pick<StorageContext, 'storage'>,
  key: string,
): Promise<number | undefined> {
  let row = await queries.selectAppend(db, key)
  if (row?.isHeld !== true) return row?.received
  await queries.askForObject(db, key, 0)
  here.get(key)?.()
  const until = performance.now() + LEASE_MS
  while (row?.isHeld && performance.now() < until) {
    await sleep(LOOK_MS)
    row = await queries.selectAppend(db, key)
  }
  return row?.received
}
