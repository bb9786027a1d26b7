import { v7 as uuidv7 } from 'uuid'
import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import { settledWithin } from '#lib/waiting/settled-within.ts'
import * as queries from './queries.ts'

export type { LivingInstance } from './queries.ts'

const BEAT_INTERVAL_MS = 2000
/** After this long an instance is gone: three beats that did not come, and some time for the way. */
const SILENCE_MS = 3 * BEAT_INTERVAL_MS + 1000
/** Our own silence after which the silence of others says nothing: a beat was missed, so it may be the database's. */
const INTERRUPTION_MS = 2 * BEAT_INTERVAL_MS
/** Milliseconds that start and end wait for the database. */
const WAIT_TIMEOUT_MS = 1000

export interface InstancesSettings {
  readonly version: string
  /** Milliseconds after which a statement that the database leaves without an answer has failed, its connection included. */
  readonly answerTimeout: number
}

/** Counts the instances that serve now by their heartbeats in the database, and sends our own. */
export class Instances {
  readonly #db: Database
  readonly #log: Log
  readonly #self: queries.Instance
  /** Milliseconds in which every instance that lives beats again after the database was away. */
  readonly #returnTime: number
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #known = 1
  #hasBeaten = false
  /** Until then others may not be back, so the number does not fall. By `performance.now()`. */
  #returningUntil = Number.NEGATIVE_INFINITY
  #isRefused = false

  constructor(db: Database, { version, answerTimeout }: InstancesSettings, log: Log) {
    this.#db = db
    this.#log = log
    this.#self = { id: uuidv7(), version, startedAt: new Date() }
    this.#returnTime = BEAT_INTERVAL_MS + answerTimeout
  }

  /**
   * How many serve, this one included. While the database is away, what was known last, and no less until the others had
   * the time to come back: the first that does would see nobody else.
   */
  get known(): number {
    return this.#known
  }

  /** The id of this one. */
  get ownId(): string {
    return this.#self.id
  }

  /** Returns those that serve, the oldest first. */
  list(): Promise<queries.LivingInstance[]> {
    return queries.selectInstances(this.#db, SILENCE_MS)
  }

  /** Starts the heartbeat; waits a little for the first one. */
  async start(): Promise<void> {
    const first = this.#beat()
    this.#running = this.#run(first)
    await settledWithin(first, WAIT_TIMEOUT_MS)
  }

  /** Ends the heartbeat, and tells the others. */
  async close(): Promise<void> {
    this.#stop.abort()
    const leaving = (async () => {
      await this.#running
      await queries.deleteInstance(this.#db, this.#self.id)
    })()
    // Otherwise the others notice by themselves.
    await settledWithin(leaving, WAIT_TIMEOUT_MS)
  }

  async #run(first: Promise<void>): Promise<void> {
    await first
    await repeatUntil(this.#stop.signal, BEAT_INTERVAL_MS, async () => {
      await this.#beat()
      return false
    })
  }

  async #beat(): Promise<void> {
    try {
      this.#count(await queries.recordInstance(this.#db, this.#self, SILENCE_MS))
      this.#isRefused = false
    } catch (error) {
      // That the database is away, others have said.
      if (error instanceof DatabaseUnavailable || this.#isRefused) return
      this.#isRefused = true
      this.#log.warn({ err: error }, 'instances cannot be counted')
    }
  }

  #count({ others, silence }: queries.Heard): void {
    const now = performance.now()
    // Without a row the server has crashed and emptied the table, or another server took over.
    const wasInterrupted = silence === null || silence > INTERRUPTION_MS
    if (this.#hasBeaten && wasInterrupted) this.#returningUntil = now + this.#returnTime
    this.#hasBeaten = true
    this.#known = Math.max(1 + others, now < this.#returningUntil ? this.#known : 1)
  }
}
