import t, { type Test } from 'tap'
import { NatsStream } from '#lib/nats/stream.ts'
import { NatsBroker } from '#services/broker/nats-broker.ts'
import { republish } from '#services/events/republish.ts'
import { emitOne, recordingConsumer, startBroker } from '#test/services/broker/brokers.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { type NatsServer, startNats, WITHOUT_NATS } from '#test/support/nats-server.ts'
import { createOrganization } from '#test/support/organizations.ts'

// A server that hangs, and the pauses between attempts, on a machine that may be busy.
t.setTimeout(900_000)

const STREAM = 'groundwork'

interface Scene extends TestApp {
  readonly nats: NatsServer
}

async function start(t: Test, { running = true } = {}): Promise<Scene> {
  const nats = await startNats(t, { running })
  const env = { APP_BROKER__KIND: 'nats', APP_BROKER__URLS: nats.url, APP_BROKER__TIMEOUT: '1s' }
  return { ...(await createTestApp(t, env)), nats }
}

const allOut = ({ db }: Pick<Scene, 'db'>) =>
  eventually(async () => (await db.query('SELECT id FROM events WHERE broker_at IS NULL')).length === 0)

/** Fails `t` unless the stream has every event once. */
async function hasAll(t: Test, { db, nats }: Scene): Promise<void> {
  const rows = await db.query<{ id: string }>('SELECT id FROM events ORDER BY id')
  const messages = await nats.messages(STREAM)
  const ids = messages.map((message) => message.json<{ id: string }>().id)
  t.strictSame(
    [...new Set(ids)].sort(),
    rows.map(({ id }) => id),
  )
}

async function metricOf({ request }: Scene, name: string): Promise<number> {
  const { body } = await request({ url: '/metrics' })
  const escaped = name.replace(/[{}"]/g, '\\$&')
  return Number(new RegExp(`^${escaped} (\\S+)$`, 'm').exec(body)?.[1])
}

/** While the broker does not answer: requests are served, and events wait, which the metrics tell. */
async function isMissed(t: Test, scene: Scene): Promise<void> {
  const { app, request } = scene
  const failures = 'events_relay_failures_total{sink="broker"}'
  const before = await metricOf(scene, failures)
  const tenant = await createOrganization(app)
  const payload = { name: 'Made meanwhile' }
  const url = `${tenant.url}/projects`
  t.equal((await request({ method: 'POST', url, as: tenant.owner, payload })).statusCode, 201)
  await eventually(async () => (await metricOf(scene, failures)) > before + 1)
  t.ok((await metricOf(scene, 'events_oldest_age_seconds{sink="broker"}')) > 0)
  t.equal((await request({ url: '/ready' })).statusCode, 200)
}

t.test('a broker that is away, hangs, or dies costs no event', { skip: WITHOUT_NATS }, async (t) => {
  const scene = await start(t, { running: false })
  const { app, nats, logs } = scene

  await t.test('away at the start', async (t) => {
    await isMissed(t, scene)
    t.equal(await metricOf(scene, 'broker_up'), 0)
    const warnings = logs().filter(({ msg }) => msg === 'could not pass on events to broker; they wait')
    t.match(warnings[0], { level: 'warn', err: {} })
    await nats.restart()
    await allOut(scene)
    await hasAll(t, scene)
    t.equal(await metricOf(scene, 'broker_up'), 1)
  })

  await t.test('hanging', async (t) => {
    nats.pause()
    await isMissed(t, scene)
    nats.resume()
    await allOut(scene)
    await hasAll(t, scene)
  })

  await t.test('killed', async (t) => {
    await nats.kill()
    await isMissed(t, scene)
    await nats.restart()
    await allOut(scene)
    await hasAll(t, scene)
    t.equal(await metricOf(scene, 'broker_streams_created_total'), 1)
  })

  await t.test('its store is lost: what is kept can be published again', async (t) => {
    await nats.kill()
    await nats.wipe()
    await nats.restart()
    await emitOne(app)
    await allOut(scene)
    t.equal(await metricOf(scene, 'broker_streams_created_total'), 2)
    t.equal((await nats.messages(STREAM)).length, 1)
    t.ok((await republish(app.db, new Date(0))) > 5)
    await allOut(scene)
    await hasAll(t, scene)
  })

  await t.test('its stream is deleted while it runs', async (t) => {
    await nats.deleteStream(STREAM)
    await emitOne(app)
    await allOut(scene)
    t.equal(await metricOf(scene, 'broker_streams_created_total'), 3)
    await republish(app.db, new Date(0))
    await allOut(scene)
    await hasAll(t, scene)
  })
})

t.test('consumers miss nothing, and handle nothing twice', { skip: WITHOUT_NATS }, async (t) => {
  const nats = await startNats(t)
  const consumer = recordingConsumer('people', ['users.>'])
  const stream = new NatsStream({
    ...{ urls: [nats.url], name: STREAM, timeoutMs: 1000, maxAgeMs: 3_600_000, replicas: 1 },
    created: () => undefined,
  })
  const make: Parameters<typeof startBroker>[1] = async (_t, { app: { db, log } }, fanOut) =>
    new NatsBroker({ stream, fanOut, db, log, source: 'https://service.example' })
  const scene = await startBroker(t, make, [consumer])
  const { app, db, relay } = scene
  await db.query('CREATE TABLE handled (number serial, consumer text, event jsonb)')
  relay.start()
  t.teardown(() => relay.close())
  const handled = async () =>
    (await db.query<{ id: string }>("SELECT event->>'id' AS id FROM handled ORDER BY 1")).map(({ id }) => id)
  const emitted = async () =>
    (await db.query<{ id: string }>('SELECT id FROM events ORDER BY 1')).map(({ id }) => id)
  const allHandled = () => eventually(async () => (await handled()).length >= (await emitted()).length)

  await emitOne(app)
  await allHandled()
  const faults: Record<string, () => Promise<unknown>> = {
    killed: () => nats.kill().then(nats.restart),
    'without its store': () => nats.kill().then(nats.wipe).then(nats.restart),
    hanging: async () => {
      nats.pause()
      await emitOne(app)
      nats.resume()
    },
    'without its stream': () => nats.deleteStream(STREAM),
    'without its durable consumer': () => nats.deleteConsumers(STREAM),
    'asked to publish again': () => republish(app.db, new Date(0)),
  }
  for (const [name, fault] of Object.entries(faults)) {
    await emitOne(app)
    await allHandled()
    await fault()
    await emitOne(app)
    await allHandled()
    t.strictSame(await handled(), await emitted(), name)
  }
  await allOut(scene)
})
