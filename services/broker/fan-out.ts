import type { Database } from '#lib/database/database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import { type EventConsumer, hears } from './consumer.ts'
import type { CloudEvent } from './envelope.ts'
import { subjectOf } from './subjects.ts'

/** Puts events into the queues of those consumers of this service that hear of them. */
export class FanOut {
  readonly #consumers: readonly EventConsumer[]
  readonly #jobs: Jobs

  constructor(consumers: readonly EventConsumer[], jobs: Jobs) {
    this.#consumers = consumers
    this.#jobs = jobs
  }

  get hasConsumers(): boolean {
    return this.#consumers.length > 0
  }

  /** @param db the transaction in which it happens, if it has to be all or nothing */
  async deliver(db: Database, event: CloudEvent): Promise<void> {
    const subject = subjectOf(event)
    for (const consumer of this.#consumers) {
      if (hears(consumer, subject)) await this.#jobs.enqueue(db, consumer, event)
    }
  }
}
