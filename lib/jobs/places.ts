import type { PgBoss } from 'pg-boss'

/**
 * The places of this process for jobs of one queue. pg-boss wakes all of them for each announcement, and each then asks the
 * database: here one looks, and one that has found a job has the next look.
 */
export class Places {
  readonly #boss: Pick<PgBoss, 'notifyWorker'>
  /** Workers of pg-boss that have no job. */
  readonly #free = new Set<string>()

  constructor(boss: Pick<PgBoss, 'notifyWorker'>) {
    this.#boss = boss
  }

  /** Has a free place look for a job. If none is free, the next to become so looks by itself. */
  wake(): void {
    const [worker] = this.#free
    if (worker !== undefined) this.#boss.notifyWorker(worker)
  }

  /** Notes a place without a job. */
  free(worker: string): void {
    this.#free.add(worker)
  }

  /** Notes that a place has a job; there may be more. */
  take(worker: string): void {
    this.#free.delete(worker)
    this.wake()
  }

  /** Notes that its job has ended: it looks for the next at once, for which pg-boss would wait. */
  release(worker: string): void {
    this.#free.add(worker)
    this.#boss.notifyWorker(worker)
  }
}

/** The places of this process, by their queue. */
export class PlacesOfQueues extends Map<string, Places> {
  /** Takes the announcement of a job; false for a queue that this process does not work on. */
  announce(queue: string): boolean {
    const places = this.get(queue)
    places?.wake()
    return places !== undefined
  }
}
