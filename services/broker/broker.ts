import type { Context } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import type { OutboxEvent } from '#services/events/sink.ts'

/** Brings events to consumers: by NATS, or by PostgreSQL where there is no broker. */
export interface Broker {
  /** Whether anybody could hear of an event; otherwise events wait. */
  readonly isUsed: boolean
  /**
   * Publishes events. What is repeated with the same id is handled once.
   *
   * @param db the transaction that notes what was published
   * @returns ids of those that are safe
   * @throws what kept it from publishing any
   */
  publish(db: Database, events: readonly OutboxEvent[]): Promise<readonly string[]>
  /** Begins to bring what is published to this service's consumers. */
  start(): void
  close(): Promise<void>
}

/** The parts that the sink needs. */
export interface BrokerContext extends Context {
  readonly broker: Broker
}
