import { setTimeout as sleep } from 'node:timers/promises'
import type { End, WorkerProcess } from './worker-process.ts'

/** The parts of a worker that a slot needs. */
type Kept = Pick<WorkerProcess, 'ended' | 'stop' | 'retire'>

/** The group's functions that a slot needs. */
export interface SlotHost<Member extends Kept> {
  fork(): Member
  /**
   * A worker ended that nobody told to.
   *
   * @param delay milliseconds until another takes its place
   * @returns whether another is wanted
   */
  lost(slot: Slot<Member>, end: End, delay: number): boolean
}

/** Milliseconds after which a worker's death is no longer one of a row. */
const STABLE_AFTER_MS = 10_000

/** Milliseconds before the second worker of a row; they double with each one after it, up to the longest. */
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000

/** Keeps one worker alive: when it dies, another takes its place; when they die in a row, ever later. */
export class Slot<Member extends Kept = WorkerProcess> {
  readonly #host: SlotHost<Member>
  readonly #leaving = new AbortController()
  #member: Member
  /** Whether its last worker ended well; settles when it ended because it was told to, or is not replaced. */
  readonly done: Promise<boolean>

  constructor(host: SlotHost<Member>) {
    this.#host = host
    this.#member = host.fork()
    this.done = this.#keep()
  }

  /** The worker of the moment. */
  get member(): Member {
    return this.#member
  }

  /** Has its worker end as at this signal; none comes after it. */
  stop(signal: NodeJS.Signals): void {
    this.#leaving.abort()
    this.#member.stop(signal)
  }

  /** Has its worker end, for another slot's has taken over. */
  retire(): void {
    this.#leaving.abort()
    this.#member.retire()
  }

  async #keep(): Promise<boolean> {
    for (let deaths = 0; ; ) {
      const born = performance.now()
      const end = await this.#member.ended
      if (this.#leaving.signal.aborted) return end.code === 0
      deaths = performance.now() - born < STABLE_AFTER_MS ? deaths + 1 : 0
      const delay = deaths === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (deaths - 1), LONGEST_DELAY_MS)
      if (!this.#host.lost(this, end, delay)) return end.code === 0
      // Rejects when the group ends meanwhile.
      await sleep(delay, undefined, { signal: this.#leaving.signal }).catch(() => undefined)
      if (this.#leaving.signal.aborted) return true
      this.#member = this.#host.fork()
    }
  }
}
