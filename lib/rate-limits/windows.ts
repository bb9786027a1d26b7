import { createLru } from '#lib/cache/lru.ts'
import type { Grant } from './store.ts'

/** Subjects that are remembered, at about 200 bytes each. More than that within one window are a flood of others. */
const MAX_SUBJECTS = 100_000

/** An instance's knowledge of a subject's budget, from the first request of a window to its end. */
export class Window {
  /** Milliseconds of `performance.now()`. */
  endsAt: number
  /** Points that this instance has given away in this window. */
  admitted = 0
  /** Those of them that the store does not know yet. */
  owed = 0
  /** Points that the store has granted and nobody has used. */
  credit = 0
  /** Points that all instances have used, as the store said last. */
  used = 0
  /** Whether a request has been refused in it. */
  isRefused = false

  constructor(endsAt: number) {
    this.endsAt = endsAt
  }

  /** Starts again. */
  restart(endsAt: number): void {
    this.endsAt = endsAt
    this.admitted = 0
    this.owed = 0
    this.credit = 0
    this.used = 0
    this.isRefused = false
  }

  /**
   * Takes in what the store said. The time is counted from the question, so this window never outlasts the
   * store's, and an answer that comes after its end is of the store's next one.
   */
  learn(
    { granted, used, resetsIn }: Grant,
    { owed, sentAt, now }: { owed: number; sentAt: number; now: number },
  ): void {
    if (now >= this.endsAt) this.restart(now)
    else this.owed -= owed
    this.endsAt = sentAt + resetsIn
    this.credit += granted
    this.used = used
    // The store has forgotten what it was told.
    const known = this.admitted - this.owed + this.credit
    if (used < known) this.owed += known - used
  }
}

/** The windows of the most recent subjects, so that memory is bounded for any traffic. */
export class Windows {
  readonly #length: number
  readonly #windows = createLru<Window>(MAX_SUBJECTS)

  /** @param length milliseconds */
  constructor(length: number) {
    this.#length = length
  }

  /** Returns the window of a subject; a new one if it has none, or if that has ended. */
  at(subject: string, now: number): Window {
    const window = this.#windows.get(subject)
    if (window === undefined) {
      const created = new Window(now + this.#length)
      this.#windows.set(subject, created)
      return created
    }
    if (now >= window.endsAt) window.restart(now + this.#length)
    return window
  }
}
