import { defineSink } from '#services/events/sink.ts'
import type { BrokerContext } from './broker.ts'

/** Events that are published in one transaction. */
const BATCH = 200

/** Publishes every event. */
export const brokerSink = defineSink<BrokerContext>({
  name: 'broker',
  column: 'broker_at',
  batch: BATCH,
  isUsed: ({ broker }) => broker.isUsed,
  take: ({ broker, db }, events) => broker.publish(db, events),
})
