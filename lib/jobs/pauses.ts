import type { Log } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { emptyWithoutTable } from '#lib/database/empty-without-table.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import { deletePausedQueue, insertPausedQueue, selectPausedQueues } from './queries.ts'

/** Milliseconds within which a worker sees that a queue was paused, or is to go on. */
const LOOK_INTERVAL_MS = 1000

/** The parts that watching needs. */
export interface PausesOptions {
  readonly db: Database
  readonly log: Log
  /** Begins, and ends, to work on a queue; jobs that have begun are finished. */
  readonly start: (queue: string) => Promise<void>
  readonly stop: (queue: string) => Promise<void>
}

/** Keeps the workers of this process from queues that are paused. While the database is away nothing changes. */
export class Pauses {
  readonly #options: PausesOptions
  readonly #working = new Set<string>()
  readonly #queues: readonly string[]
  readonly #warn: (error: unknown) => void

  /** @param queues those that this process works on */
  constructor(queues: readonly string[], options: PausesOptions) {
    this.#queues = queues
    this.#options = options
    this.#warn = warnOfTrouble(options.log, 'it is not known which queues are paused')
  }

  /** Begins to work on the queues that are not paused, and watches them until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#queues.length === 0) return
    await this.#look()
    void repeatUntil(
      signal,
      LOOK_INTERVAL_MS,
      async () => {
        await this.#look().catch(this.#warn)
        return false
      },
      { ref: false },
    )
  }

  async #look(): Promise<void> {
    // The table may be newer than the database's schema.
    const paused = new Set(await emptyWithoutTable(() => selectPausedQueues(this.#options.db)))
    for (const queue of this.#queues) {
      if (paused.has(queue) && this.#working.delete(queue)) await this.#options.stop(queue)
      if (paused.has(queue) || this.#working.has(queue)) continue
      await this.#options.start(queue)
      this.#working.add(queue)
    }
  }
}

/** Returns the names of the queues that are paused. */
export function pausedQueues(db: Database): Promise<string[]> {
  return selectPausedQueues(db)
}

/** Has workers not begin jobs of a queue. */
export function pauseQueue(db: Database, name: string): Promise<void> {
  return insertPausedQueue(db, name)
}

/** Has workers go on with a queue. */
export function resumeQueue(db: Database, name: string): Promise<void> {
  return deletePausedQueue(db, name)
}
