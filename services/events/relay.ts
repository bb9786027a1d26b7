import type { Context, Log } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { BackOff } from '#lib/waiting/back-off.ts'
import { pause } from '#lib/waiting/repeat.ts'
import * as queries from './queries.ts'
import type { Sink } from './sink.ts'

/** Milliseconds between looks while nothing happens. */
const IDLE_MS = 500
/** Milliseconds between looks while events come. */
const BUSY_MS = 50
/** Looks that find nothing before it is idle. */
const BUSY_LOOKS = 20
/** Milliseconds before a sink that refused is tried again; doubled each time. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 10_000

interface RelayOptions<Ctx> {
  readonly ctx: Ctx
  readonly log: Log
  /** Called with the number of events that the sink took. */
  taken?(events: number): void
  /** Called when the sink took none because of an error. */
  failed?(): void
}

/**
 * Brings events to one sink, beside any number of other relays: each claims rows that no other has, in a transaction that
 * ends when the sink has taken them. One that dies leaves its rows to the others.
 */
export class Relay<Ctx extends Context> {
  readonly #sink: Sink<Ctx>
  readonly #options: RelayOptions<Ctx>
  readonly #stop = new AbortController()
  readonly #retries = new BackOff(FIRST_RETRY_MS, LAST_RETRY_MS)
  readonly #warn: (error: unknown) => void
  #looks = BUSY_LOOKS
  /** Whether events are known to wait, so that nobody has to ask first. */
  #isPoked = false
  #wake = new AbortController()
  #isRefused = false
  #running: Promise<void> | undefined

  constructor(sink: Sink<Ctx>, options: RelayOptions<Ctx>) {
    this.#sink = sink
    this.#options = options
    this.#warn = warnOfTrouble(options.log, `could not pass on events to ${sink.name}; they wait`)
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Tells it of new events: it looks at once, unless it looks often anyway. */
  poke(): void {
    const isIdle = this.#looks >= BUSY_LOOKS
    this.#looks = 0
    this.#isPoked = true
    if (isIdle && !this.#isRefused) this.#wake.abort()
  }

  /** Ends it after the batch that it has. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Passes on one batch; returns how many events it had. */
  async pass(): Promise<number> {
    const { name, batch, column, take, isOrdered } = this.#sink
    const { ctx, taken } = this.#options
    const count = await new SystemDatabase(ctx.db).transaction(async (db) => {
      // Before the claim: rows that were claimed first must be published first.
      if (isOrdered && !(await queries.tryLockSink(db, name))) return 0
      const events = await queries.claimEvents(db, column, batch, isOrdered)
      if (events.length === 0) return 0
      const ids = await take({ ...ctx, db }, events)
      if (ids.length > 0) await queries.markTaken(db, column, ids)
      return ids.length
    })
    if (count > 0) taken?.(count)
    return count
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const delay = await this.#look()
      if (delay > 0) await pause(delay, AbortSignal.any([signal, this.#wake.signal]))
    }
  }

  /** Asks first, which takes a fifth of an empty batch: most looks find nothing. */
  async #mayPass(): Promise<boolean> {
    const isPoked = this.#isPoked
    this.#isPoked = false
    return isPoked || queries.someWait(new SystemDatabase(this.#options.ctx.db), this.#sink.column)
  }

  /** Returns the milliseconds until the next look. */
  #look(): Promise<number> {
    return this.#retries.attempt(
      () => this.#passAny(),
      (error) => {
        this.#isRefused = true
        this.#options.failed?.()
        this.#warn(error)
      },
    )
  }

  async #passAny(): Promise<number> {
    const count = (await this.#mayPass()) ? await this.pass() : 0
    this.#isRefused = false
    if (count > 0) this.#looks = 0
    else this.#looks++
    if (count === this.#sink.batch) {
      // There may be more.
      this.#isPoked = true
      return 0
    }
    return this.#looks < BUSY_LOOKS ? (this.#sink.busyMs ?? BUSY_MS) : IDLE_MS
  }
}
