import type { Caller } from '../caller.ts'
import type { Database, Statement } from '../database.ts'
import { callerLeft, DatabaseUnavailable, lostRace } from '../errors.ts'
import type { PoolDatabase } from '../pool-database.ts'
import type { Position, PrimaryPosition } from './primary-position.ts'
import { type Replica, ReplicaBehind } from './replica.ts'

/** Why the primary answered a read that a replica could have answered. */
export const FALLBACK_REASONS = ['none_up', 'behind', 'conflict', 'failed', 'no_position'] as const
export type FallbackReason = (typeof FALLBACK_REASONS)[number]

/** The part of a replica that reads from it. */
type Readable = Pick<Replica, 'name' | 'state' | 'load' | 'query' | 'start' | 'close'>

export interface ReplicasOptions {
  readonly primary: Pick<PoolDatabase, 'forCaller'>
  readonly position: Pick<PrimaryPosition, 'read'>
  readonly replicas: readonly Readable[]
  /** Milliseconds that a read waits in all for replicas to reach the primary's position. */
  readonly patience: number
  /** A read was answered by a replica. */
  served(replica: Pick<Replica, 'name'>): void
  /** A read was left to the primary. */
  fellBack(reason: FallbackReason): void
}

/**
 * Reads from replicas that have all that the primary had when the request began to read. So no client misses what was
 * acknowledged before, by whichever instance (docs/decisions/051-reads-from-replicas.md).
 */
export class Replicas {
  readonly #options: ReplicasOptions
  #turn = 0

  constructor(options: ReplicasOptions) {
    this.#options = options
  }

  start(): void {
    for (const replica of this.#options.replicas) replica.start()
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.replicas.map((replica) => replica.close()))
  }

  /** A database for one request that reads: its statements go to replicas, its transactions to the primary. */
  forCaller(caller: Caller): Database {
    return new ReplicatedDatabase(this.#options, () => this.#usable(), caller)
  }

  /** Those that are up, the one with the least to do first; of equals each in its turn. */
  #usable(): Readable[] {
    const up = this.#options.replicas.filter(({ state }) => state === 'up')
    this.#turn = (this.#turn + 1) % Math.max(1, up.length)
    return [...up.slice(this.#turn), ...up.slice(0, this.#turn)].sort((a, b) => a.load - b.load)
  }
}

class ReplicatedDatabase implements Database {
  readonly #options: ReplicasOptions
  readonly #usable: () => Readable[]
  readonly #caller: Caller
  readonly #primary: Database
  #position: Promise<Position> | undefined

  constructor(options: ReplicasOptions, usable: () => Readable[], caller: Caller) {
    this.#options = options
    this.#usable = usable
    this.#caller = caller
    this.#primary = options.primary.forCaller(caller)
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    const outcome = await this.#ask<Row>(statement)
    if (typeof outcome !== 'string') return outcome
    if (this.#caller.isGone()) throw callerLeft()
    this.#options.fellBack(outcome)
    return this.#primary.query<Row>(statement)
  }

  async transaction<T>(work: (db: Database) => Promise<T>): Promise<T> {
    // What it writes is to be seen by what the request reads later.
    this.#position = undefined
    return this.#primary.transaction(work)
  }

  /** The rows from a replica, or why the primary has to be asked. */
  async #ask<Row extends object>(statement: Statement): Promise<Row[] | FallbackReason> {
    const { patience, position, served } = this.#options
    const usable = this.#usable()
    if (usable.length === 0) return 'none_up'
    this.#position ??= position.read()
    const reached = await this.#position.catch(() => undefined)
    if (reached === undefined) return 'no_position'
    const deadline = performance.now() + patience
    let reason: FallbackReason = 'none_up'
    for (const replica of usable) {
      try {
        const rows = await replica.query<Row>(statement, reached, deadline, this.#caller)
        served(replica)
        return rows
      } catch (error) {
        reason = reasonOf(error)
      }
      if (performance.now() > deadline) break
    }
    return reason
  }
}

/** @throws the error itself where the primary would say the same */
function reasonOf(error: unknown): FallbackReason {
  if (error instanceof ReplicaBehind) return 'behind'
  if (lostRace(error) !== undefined) return 'conflict'
  if (error instanceof DatabaseUnavailable) return 'failed'
  throw error
}
