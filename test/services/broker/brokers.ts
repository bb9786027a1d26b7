import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { work } from '#lib/jobs/worker.ts'
import { NatsStream } from '#lib/nats/stream.ts'
import type { Broker } from '#services/broker/broker.ts'
import { defineConsumer, type EventConsumer } from '#services/broker/consumer.ts'
import type { CloudEvent } from '#services/broker/envelope.ts'
import { FanOut } from '#services/broker/fan-out.ts'
import { NatsBroker } from '#services/broker/nats-broker.ts'
import { PostgresBroker } from '#services/broker/postgres-broker.ts'
import { brokerSink } from '#services/broker/sink.ts'
import { emit } from '#services/events/emit.ts'
import { Relay } from '#services/events/relay.ts'
import { userCreated } from '#services/users/events.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { type NatsServer, startNats } from '#test/support/nats-server.ts'

const SOURCE = 'https://service.example'

/** An event of a test. */
export const EVENT: CloudEvent = {
  specversion: '1.0',
  id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
  source: SOURCE,
  type: 'users.created',
  subject: 'user/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b91',
  time: '2026-01-31T08:15:30.123Z',
  datacontenttype: 'application/json',
  typeversion: 1,
  actorkind: 'system',
  data: {},
}

/** How a broker of a kind is made. */
export type BrokerMaker = (t: Test, testApp: TestApp, fanOut: FanOut) => Promise<Broker>

export const postgresBroker: BrokerMaker = async (_t, _app, fanOut) => new PostgresBroker(fanOut, SOURCE)

export const natsBroker: BrokerMaker = async (t, app, fanOut) => natsAt(await startNats(t))(t, app, fanOut)

/** The same on a server that there is. */
export const natsAt =
  ({ url }: NatsServer): BrokerMaker =>
  async (_t, { app }, fanOut) => {
    const stream = new NatsStream({
      ...{ urls: [url], name: 'contract', timeoutMs: 3000, maxAgeMs: 3_600_000, replicas: 1 },
      created: () => undefined,
    })
    return new NatsBroker({ stream, fanOut, db: app.db, log: app.log, source: SOURCE })
  }

/** An application that passes on nothing by itself, with a broker, queues and workers of a test's own. */
export async function startBroker(t: Test, make: BrokerMaker, consumers: readonly EventConsumer<Context>[]) {
  const testApp = await createTestApp(t, { APP_ROLE: 'web' })
  const { app, db } = testApp
  const boss = createBoss({
    pool: app.pg.pool,
    connection: connectionTo(db.url),
    works: true,
    log: app.log,
  })
  const jobs = new JobQueue(boss)
  // Retries come soon.
  const quick = consumers.map((consumer) => Object.assign(consumer, { retryDelay: 1 }))
  await jobs.start(quick, { schedules: false })
  t.teardown(() => boss.stop({ timeout: 5000 }))
  const broker = await make(t, testApp, new FanOut(quick, jobs))
  const runs: string[] = []
  for (const job of quick) {
    await work(boss, job, {
      contextFor: (fields) => ({ ...app.ctx, log: app.log.child(fields) }),
      finished: (name, outcome) => runs.push(`${name} ${outcome}`),
      polling: 0.5,
    })
  }
  broker.start()
  t.teardown(() => broker.close())
  const ctx = { ...app.ctx, broker }
  return { ...testApp, ctx, broker, runs, relay: new Relay(brokerSink, { ctx, log: app.log }) }
}

/** A consumer that remembers what it handled, in a table with a row for each event. */
export function recordingConsumer(name: string, subjects: string[], before?: (event: CloudEvent) => void) {
  return defineConsumer({
    name,
    subjects,
    handler: async (ctx: Context, event) => {
      const text = 'INSERT INTO handled (consumer, event) VALUES ($1, $2)'
      await ctx.db.query({ name: 'handle', text, values: [name, JSON.stringify(event)], prepare: false })
      before?.(event)
    },
  })
}

/** Emits an event of a person, and returns the person's id. */
export async function emitOne({ ctx }: Pick<TestApp['app'], 'ctx'>): Promise<string> {
  const subject = uuidv7()
  await emit(ctx, userCreated, { subject, data: {} })
  return subject
}
