import type pg from 'pg'
import type { Caller } from './caller.ts'
import { cancelStatement } from './cancel-statement.ts'
import { callerLeft } from './errors.ts'

/**
 * Watches whether the caller of a connection of the pool is still there, and cancels the statement that runs
 * when it leaves. COMMIT and ROLLBACK bypass it, and so are never cancelled.
 */
export class Watch {
  /** Takes the listener back; to be called before the connection is given away. */
  readonly stop: () => void
  #gone = false
  /** Statements that were sent and not answered. */
  #running = 0
  #sendable: Promise<unknown> = Promise.resolve()
  #cancelling: Promise<boolean> | undefined
  #isUncertain = false

  constructor(client: pg.Client, caller: Caller, onCancel: () => void) {
    this.stop = caller.onGone(() => {
      this.#gone = true
      if (this.#running === 0) return
      onCancel()
      this.#cancelling = this.#sendable.then(
        () => cancelStatement(client),
        () => true,
      )
    })
  }

  /** Has nothing cancelled before `command` is answered. */
  waitFor(command: Promise<unknown>): void {
    this.#sendable = command
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
      if (this.#cancelling !== undefined) this.#isUncertain = !(await this.#cancelling)
    }
  }
}
