import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge, Histogram } from 'prom-client'
import { publicUrl } from '#config/public-url.ts'
import type { Broker, BrokerContext } from '#services/broker/broker.ts'
import { FanOut } from '#services/broker/fan-out.ts'
import { findConsumers } from '#services/broker/find-consumers.ts'
import { PostgresBroker } from '#services/broker/postgres-broker.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<BrokerContext, 'broker'> {}
}

/** Seconds; an acknowledgement takes a millisecond to `broker.timeout`. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Brings events to consumers, by NATS or by PostgreSQL (services/broker/). The service starts and runs without NATS. */
export default fp(
  async (app) => {
    const fanOut = new FanOut(await findConsumers(), app.jobs)
    const { kind } = app.config.broker
    const broker =
      kind === 'nats'
        ? await natsBroker(app, fanOut)
        : new PostgresBroker(fanOut, publicUrl(app.config.server))
    app.addContext({ broker })
    app.addHook('onReady', async () => {
      if (app.config.role !== 'web') broker.start()
    })
    app.addHook('onClose', () => broker.close())
  },
  {
    name: 'broker',
    dependencies: ['context', 'database', 'jobs', 'log-levels', 'metrics'],
  },
)

async function natsBroker(app: FastifyInstance, fanOut: FanOut): Promise<Broker> {
  // The client takes time and memory, which only those pay who use it.
  const { NatsStream } = await import('#lib/nats/stream.ts')
  const { NatsBroker } = await import('#services/broker/nats-broker.ts')
  const { broker, events, role, server } = app.config
  const registers = [app.metrics]
  const log = app.moduleLog('jobs')
  const created = new Counter({
    name: 'broker_streams_created_total',
    help: 'Times that the broker did not have the stream, and it was created: at the first start, or after its store was lost.',
    registers,
  })
  const received = new Counter({
    name: 'broker_events_received_total',
    help: "Events that came from the broker for this service's consumers.",
    registers,
  })
  const published = new Histogram({
    name: 'broker_publish_duration_seconds',
    help: 'Time from publishing a batch of events to the last acknowledgement, or to the failure.',
    buckets: BUCKETS,
    registers,
  })
  const stream = new NatsStream({
    urls: broker.urls,
    name: broker.prefix,
    timeoutMs: broker.timeout,
    maxAgeMs: events.retention,
    replicas: broker.replicas,
    created() {
      created.inc()
      log.warn(
        { stream: broker.prefix },
        'the broker had no stream, and it was created; if it had one before, publish its events again: npm run events -- republish',
      )
    },
    published: (seconds) => published.observe(seconds),
  })
  if (role !== 'web') {
    new Gauge({
      name: 'broker_up',
      help: 'Whether the broker is connected: 1, or 0 while events wait for it, and before there was one.',
      aggregator: 'min',
      registers,
      collect() {
        this.set(stream.isUp ? 1 : 0)
      },
    })
  }
  const source = publicUrl(server)
  return new NatsBroker({ stream, fanOut, db: app.db, log, source, received: () => received.inc() })
}
