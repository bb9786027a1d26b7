import type { Database } from '#lib/database/database.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import type { Broker } from './broker.ts'
import { envelopeOf } from './envelope.ts'
import type { FanOut } from './fan-out.ts'

/** PostgreSQL in place of a broker: publishing puts events into the consumers' queues, in the same transaction. */
export class PostgresBroker implements Broker {
  readonly #fanOut: FanOut
  readonly #source: string

  /** @param source URL of the service */
  constructor(fanOut: FanOut, source: string) {
    this.#fanOut = fanOut
    this.#source = source
  }

  get isUsed(): boolean {
    return this.#fanOut.hasConsumers
  }

  async publish(db: Database, events: readonly OutboxEvent[]): Promise<readonly string[]> {
    for (const event of events) await this.#fanOut.deliver(db, envelopeOf(event, this.#source))
    return events.map(({ id }) => id)
  }

  /** The workers of jobs do it. */
  start(): void {}

  async close(): Promise<void> {}
}
