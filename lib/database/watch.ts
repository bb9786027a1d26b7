import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { BackOff } from '#lib/waiting/back-off.ts'
import type { Caller } from './caller.ts'
import { cancelStatement } from './cancel-statement.ts'
import { callerLeft } from './errors.ts'

/** Milliseconds between two requests to cancel the same statement. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 2000

/**
 * Watches whether the caller of a connection of the pool is still there, and cancels the statement that runs
 * when it leaves. COMMIT and ROLLBACK bypass it, and so are never cancelled. BEGIN may be: its first statement then
 * is not run (preceded-query.ts).
 */
export class Watch {
  /** Takes the listener back; to be called before the connection is given away. */
  readonly stop: () => void
  #gone = false
  /** Statements that were sent and not answered. */
  #running = 0
  /** Aborted when a statement ends while it is being cancelled. */
  #ended: AbortController | undefined
  #cancelling: Promise<boolean> | undefined
  #isUncertain = false

  constructor(client: pg.Client, caller: Caller, onCancel: () => void) {
    this.stop = caller.onGone(() => {
      this.#gone = true
      if (this.#running === 0) return
      onCancel()
      this.#cancelling = this.#cancel(client)
    })
  }

  /** Whether a signal to cancel may still come, so that nobody else may use the connection. */
  get isUncertain(): boolean {
    return this.#isUncertain
  }

  /** @throws DatabaseUnavailable when the caller has left */
  assertPresent(): void {
    if (this.#gone) throw callerLeft()
  }

  /** Runs a statement, and waits until no signal can come any more that is meant for it. */
  async run<T>(statement: () => Promise<T>): Promise<T> {
    this.assertPresent()
    this.#running++
    try {
      return await statement()
    } finally {
      this.#running--
      this.#ended?.abort()
      if (this.#cancelling !== undefined) this.#isUncertain = !(await this.#cancelling)
    }
  }

  /**
   * Cancels until nothing runs any more: the server drops a request that comes before it has begun with the statement.
   *
   * @returns whether no signal can come any more
   */
  async #cancel(client: pg.Client): Promise<boolean> {
    const pauses = new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    while (true) {
      const ended = new AbortController()
      this.#ended = ended
      const isCertain = await cancelStatement(client)
      if (!isCertain || this.#running === 0) return isCertain
      await sleep(pauses.next(), undefined, { signal: ended.signal }).catch(() => undefined)
      if (this.#running === 0) return true
    }
  }
}
