import type { Store } from './store.ts'
import { type Window, Windows } from './windows.ts'

/** Whether a request may pass, and what its subject has left. */
export interface Decision {
  readonly admitted: boolean
  /** Points of a window. */
  readonly limit: number
  readonly remaining: number
  /** Milliseconds until the count starts again. */
  readonly resetsIn: number
  /** Whether the subject was refused in this window before. */
  readonly isRepeated: boolean
}

export interface RateLimiterSettings {
  /** Milliseconds from a subject's first request until its count starts again. */
  readonly windowMs: number
  /** Where instances count together at the moment; undefined when this one counts for itself. */
  readonly store: () => Store | undefined
  /** Between how many instances a limit is divided while they can't count together. */
  readonly instances: () => number
  /** Is told of each request that was decided alone because the store did not answer. */
  readonly decidedAlone: () => void
}

/** Milliseconds of a client's requests that are asked for in advance. */
const RESERVE_TIME_MS = 100
/** Share of the rest of a limit that all instances together may reserve in advance. */
const RESERVE_SHARE = 0.01

/** A request that waits for the store. */
interface Waiting {
  readonly cost: number
  readonly decide: (decision: Decision) => void
}

/** The requests of one subject that go to the store together. */
interface Batch {
  readonly subject: string
  readonly points: number
  readonly window: Window
  readonly waiting: Waiting[]
}

/**
 * Counts requests against limits, over all instances. With a store, requests that arrive while a question to it is
 * under way are asked about together afterwards, so a flood causes no more questions than there are round trips. A client
 * over its limit is refused without a question, and a busy client's next requests are asked for in advance.
 * Without an answer this instance decides by itself, within its share of the limit, and tells the store later.
 * Nothing is given away twice: what is admitted was granted.
 */
export class RateLimiter {
  readonly #settings: RateLimiterSettings
  readonly #windows: Windows
  readonly #batches = new Map<string, Batch>()
  #isAsking = false

  constructor(settings: RateLimiterSettings) {
    this.#settings = settings
    this.#windows = new Windows(settings.windowMs)
  }

  /**
   * Takes a request's cost out of its subject's budget; costs more than the whole budget count as that. Only
   * when the store has to be asked is the answer a promise, which never rejects.
   *
   * @param points of the subject's budget in a window
   */
  take(subject: string, points: number, cost: number): Decision | Promise<Decision> {
    const now = performance.now()
    const window = this.#windows.at(subject, now)
    const store = this.#settings.store()
    if (store === undefined) return this.#decideAlone(window, points, cost, now)
    const asked = Math.min(cost, points)
    if (window.credit >= asked) return this.#useCredit(window, points, asked, now)
    // What is used only grows until the window ends.
    const left = points - window.used - window.owed
    if (asked > left) {
      // Told although nobody waits for an answer: others would admit it again.
      if (window.owed > 0 && store.isAvailable) this.#enqueue({ subject, points, window })
      return refusal(window, points, left, now)
    }
    if (!store.isAvailable) {
      this.#settings.decidedAlone()
      return this.#decideAlone(window, points, cost, now)
    }
    return new Promise((decide) => {
      this.#enqueue({ subject, points, window }, { cost: asked, decide })
    })
  }

  /** Whether a request is known to be over its subject's limit, so that `take` refuses it and asks nobody. */
  isOver(subject: string, points: number, cost: number): boolean {
    const { credit, used, owed } = this.#windows.at(subject, performance.now())
    const asked = Math.min(cost, points)
    return credit < asked && points - used - owed < asked
  }

  #useCredit(window: Window, points: number, cost: number, now: number): Decision {
    // A store that has forgotten what it was told grants too much.
    if (window.admitted + cost > points) return refusal(window, points, points - window.admitted, now)
    window.credit -= cost
    window.admitted += cost
    return admission(window, points, points - window.used + window.credit, now)
  }

  /** Within this instance's share; what others were known to have used stays used. */
  #decideAlone(window: Window, points: number, cost: number, now: number): Decision {
    const share = Math.max(1, Math.floor(points / this.#settings.instances()))
    const asked = Math.min(cost, share)
    const left = Math.min(share - window.admitted, points - window.used - window.owed)
    if (asked > left) return refusal(window, points, left, now)
    window.admitted += asked
    window.owed += asked
    return admission(window, points, left - asked, now)
  }

  #enqueue(subject: Omit<Batch, 'waiting'>, ...waiting: Waiting[]): void {
    const batch = this.#batches.get(subject.subject)
    if (batch) batch.waiting.push(...waiting)
    else this.#batches.set(subject.subject, { ...subject, waiting })
    if (!this.#isAsking) void this.#askAll()
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true
    while (this.#batches.size > 0) {
      const store = this.#settings.store()
      const batches = this.#batches
        .values()
        .take(store?.maxClaims ?? this.#batches.size)
        .toArray()
      for (const { subject } of batches) this.#batches.delete(subject)
      await this.#ask(store, batches)
    }
    this.#isAsking = false
  }

  async #ask(store: Store | undefined, batches: readonly Batch[]): Promise<void> {
    const sentAt = performance.now()
    const claims = batches.map(({ subject, points, window, waiting }) => {
      const cost = waiting.reduce((sum, request) => sum + request.cost, 0)
      // All of it, for the credit may be used by others, or end with its window, until the store answers.
      const reserve = Math.max(0, this.#reserve(window, points, sentAt) - window.credit)
      const wanted = Math.min(cost, points) + reserve
      return { subject, points, owed: window.owed, wanted }
    })
    try {
      if (!store?.isAvailable) throw new TypeError('the store is away')
      const grants = await store.take(claims)
      const now = performance.now()
      for (const [index, batch] of batches.entries()) {
        const grant = grants[index]
        const owed = claims[index]?.owed
        if (grant === undefined || owed === undefined) throw new TypeError('a claim was not answered')
        batch.window.learn(grant, { owed, sentAt, now })
        this.#distribute(batch, now)
      }
    } catch {
      // The store's owner has logged and counted why.
      const now = performance.now()
      for (const batch of batches) this.#distributeAlone(batch, now)
    }
  }

  /**
   * Points that a busy client will probably use next, so that not every request asks the store. It is so little of what
   * is left that other instances, which can't use it until the window ends, hardly miss it.
   */
  #reserve({ admitted, endsAt, used, owed }: Window, points: number, now: number): number {
    const elapsed = Math.max(1, this.#settings.windowMs - (endsAt - now))
    const likely = (admitted / elapsed) * RESERVE_TIME_MS
    const share = ((points - used - owed) * RESERVE_SHARE) / this.#settings.instances()
    return Math.floor(Math.max(0, Math.min(likely, share)))
  }

  /** Decides in the order of arrival; a cheap request may pass where an expensive one did not. */
  #distribute({ window, points, waiting }: Batch, now: number): void {
    for (const { cost, decide } of waiting.splice(0)) {
      const isGranted = window.credit >= cost
      decide(
        isGranted
          ? this.#useCredit(window, points, cost, now)
          : refusal(window, points, points - window.used + window.credit, now),
      )
    }
  }

  #distributeAlone({ window, points, waiting }: Batch, now: number): void {
    if (now >= window.endsAt) window.restart(now + this.#settings.windowMs)
    for (const { cost, decide } of waiting.splice(0)) {
      this.#settings.decidedAlone()
      decide(this.#decideAlone(window, points, cost, now))
    }
  }
}

function admission(window: Window, limit: number, remaining: number, now: number): Decision {
  return decision(true, window, limit, remaining, now)
}

function refusal(window: Window, limit: number, remaining: number, now: number): Decision {
  const refused = decision(false, window, limit, remaining, now)
  window.isRefused = true
  return refused
}

function decision(
  admitted: boolean,
  { endsAt, isRefused }: Window,
  limit: number,
  remaining: number,
  now: number,
): Decision {
  return {
    admitted,
    limit,
    remaining: Math.max(0, remaining),
    resetsIn: Math.max(0, endsAt - now),
    isRepeated: isRefused,
  }
}
