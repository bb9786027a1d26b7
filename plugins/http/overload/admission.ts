/** When there is too much to do. */
export interface AdmissionLimits {
  /** Milliseconds for which requests may keep one turn of the event loop; 0 for any. */
  readonly turn: number
  /** Callers that may wait for a database connection; 0 for any. */
  readonly waiting: number
}

/** The process' load. */
export interface Load {
  /** Callers that wait for a database connection. */
  waiting(): number
  /** Whether the event loop hardly ever rests. */
  isBusy(): boolean
}

/** The overloaded part. */
export type Reason = 'event_loop' | 'database'

/** Milliseconds of nothing but long turns that are taken for a load, and no hiccup. */
const ONSET_MS = 250

/** Milliseconds without a long turn after which the load is taken to be over. */
const RECOVERY_MS = 1000

/** Requests in one turn up to which its length is the machine's doing, or one request's, and no queue. */
const CROWD_SIZE = 128

/** Milliseconds between two turns by which the loop must have slept. */
const SHORTEST_SLEEP_MS = 5

/**
 * Decides whether a request may begin.
 *
 * Requests that are handled without waiting for anything queue where we can't see them, in the sockets: all that
 * have arrived are handled in one turn of the event loop, which so becomes as long as the queue. While turns
 * have been long for a while, only the first of each is served, and what comes after has waited too long.
 * Requests that need PostgreSQL queue for its connections. Where that is PostgreSQL's fault, the rest can go on
 * (PoolDatabase refuses those that would queue); where it is ours, to refuse is all that there is time for.
 */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #load: Load
  readonly #now: () => number
  #turnBegan: number | undefined
  #turnEnded = 0
  /** Requests of this turn. */
  #count = 0
  #lastCalm = 0
  #lastLong = Number.NEGATIVE_INFINITY
  #isShedding = false

  /** @param now milliseconds of a clock that only goes forward */
  constructor(limits: AdmissionLimits, load: Load, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#load = load
    this.#now = now
  }

  /** Returns why another request can't be served, or undefined if it can. */
  refusal(): Reason | undefined {
    const { waiting } = this.#limits
    if (waiting > 0 && this.#load.waiting() >= waiting && this.#load.isBusy()) return 'database'
    return this.#isTurnSpent() ? 'event_loop' : undefined
  }

  #isTurnSpent(): boolean {
    if (this.#limits.turn === 0) return false
    const now = this.#now()
    if (this.#turnBegan === undefined) this.#beginTurn(now)
    this.#count++
    if (this.#isShedding) return this.#isLong(now)
    this.#isShedding = this.#isLong(now) && now - this.#lastCalm > ONSET_MS
    return this.#isShedding
  }

  /** Once load is shed, half of the limit is all that a turn gets, for what is refused has waited for a turn or two. */
  #isLong(now: number): boolean {
    const { turn } = this.#limits
    const age = now - (this.#turnBegan ?? now)
    return this.#isShedding ? age > turn / 2 : age > turn && this.#count > CROWD_SIZE
  }

  #beginTurn(now: number): void {
    this.#turnBegan = now
    this.#count = 0
    if (now - this.#turnEnded > SHORTEST_SLEEP_MS) this.#lastCalm = now
    if (now - this.#lastLong > RECOVERY_MS) this.#isShedding = false
    // After all that has arrived by now.
    setImmediate(() => this.#endTurn())
  }

  #endTurn(): void {
    const now = this.#now()
    if (this.#isLong(now)) this.#lastLong = now
    else this.#lastCalm = now
    this.#turnBegan = undefined
    this.#turnEnded = now
  }
}
