import t, { type Test } from 'tap'
import type { CloudEvent } from '#services/broker/envelope.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startNats, WITHOUT_NATS } from '#test/support/nats-server.ts'
import { createOrganization } from '#test/support/organizations.ts'
import {
  type BrokerMaker,
  emitOne,
  natsAt,
  natsBroker,
  postgresBroker,
  recordingConsumer,
  startBroker,
} from './brokers.ts'

interface Handled {
  readonly consumer: string
  readonly event: CloudEvent
}

async function handledBy(db: TestDatabase, consumer: string): Promise<CloudEvent[]> {
  const rows = await db.query<Handled & Record<string, unknown>>(
    'SELECT consumer, event FROM handled WHERE consumer = $1 ORDER BY number',
    [consumer],
  )
  return rows.map(({ event }) => event)
}

/** The promises of every broker. */
async function contract(t: Test, make: BrokerMaker): Promise<void> {
  const failures = new Map<string, number>()
  const consumers = [
    recordingConsumer('people', ['users.*.platform']),
    recordingConsumer('projects', ['projects.>', 'projects.created.*']),
    // Fails after its work, the first time that it has an event.
    recordingConsumer('unsteady', ['users.created.*'], ({ id }) => {
      const count = (failures.get(id) ?? 0) + 1
      failures.set(id, count)
      if (count === 1) throw new Error('for the test')
    }),
  ]
  const { app, broker, db, relay, runs, request } = await startBroker(t, make, consumers)
  await db.query('CREATE TABLE handled (number serial, consumer text, event jsonb)')

  await t.test('an event comes to those who hear of it, in its envelope', async (t) => {
    const tenant = await createOrganization(app)
    const payload = { name: 'Canary of the name' }
    const created = await request({
      method: 'POST',
      url: `${tenant.url}/projects`,
      as: tenant.owner,
      payload,
    })
    const { id } = created.json()
    while ((await relay.pass()) > 0);
    await eventually(async () => (await handledBy(db, 'projects')).length > 0)
    const [event, ...more] = await handledBy(db, 'projects')
    t.same(more, [], 'once, though two of its subjects select it')
    const [row] = await db.query('SELECT id, occurred_at FROM events WHERE subject_id = $1', [id])
    t.match(event, {
      specversion: '1.0',
      id: row?.['id'],
      source: 'https://service.example',
      type: 'projects.created',
      subject: `project/${id}`,
      datacontenttype: 'application/json',
      typeversion: 1,
      organizationid: tenant.organization.id,
      actorkind: 'user',
      actorid: tenant.owner.user.id,
      requestid: created.headers['x-request-id'],
      data: {},
    })
    t.match(event?.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.notMatch(JSON.stringify(event), /Canary|null/)
    t.equal((await request({ url: '/ready' })).statusCode, 200)
  })

  await t.test('an event is handled once, however often it is published', async (t) => {
    const before = (await handledBy(db, 'people')).length
    const subject = await emitOne(app)
    t.ok(await relay.pass())
    await eventually(async () => (await handledBy(db, 'people')).length > before)
    // As by a relay whose commit failed.
    await db.query('UPDATE events SET broker_at = NULL WHERE subject_id = $1', [subject])
    t.equal(await relay.pass(), 1)
    const last = await emitOne(app)
    t.equal(await relay.pass(), 1)
    const isLast = ({ subject }: CloudEvent) => subject === `user/${last}`
    await eventually(async () => (await handledBy(db, 'people')).some(isLast))
    const mine = (await handledBy(db, 'people')).filter((event) => event.subject === `user/${subject}`)
    t.equal(mine.length, 1)
  })

  await t.test('a handler that fails is undone and tried again; the others are not', async (t) => {
    await eventually(async () => {
      const [people, unsteady] = [await handledBy(db, 'people'), await handledBy(db, 'unsteady')]
      return people.length > 0 && people.length === unsteady.length
    })
    const events = await handledBy(db, 'unsteady')
    t.ok(events.length > 1)
    t.equal(new Set(events.map(({ id }) => id)).size, events.length, 'each has one effect')
    for (const { id } of events) t.equal(failures.get(id), 2)
    t.ok(runs.includes('unsteady retried'))
    t.notOk(runs.includes('people retried'))
  })

  await t.test('all of them again, at once, change nothing', async (t) => {
    await db.query('UPDATE events SET broker_at = NULL')
    while ((await relay.pass()) > 0);
    const last = await emitOne(app)
    t.equal(await relay.pass(), 1)
    await eventually(async () => {
      const isLast = ({ subject }: CloudEvent) => subject === `user/${last}`
      const isDone = async (consumer: string) => (await handledBy(db, consumer)).some(isLast)
      const [left] = await db.query<{ count: number }>(
        "SELECT count(*)::int FROM pgboss.job WHERE state IN ('created', 'retry', 'active')",
      )
      return left?.count === 0 && (await isDone('people')) && (await isDone('unsteady'))
    })
    for (const consumer of ['people', 'projects', 'unsteady']) {
      const ids = (await handledBy(db, consumer)).map(({ id }) => id)
      t.equal(new Set(ids).size, ids.length, consumer)
    }
    t.ok(broker.isUsed)
  })
}

t.test('with PostgreSQL', (t) => contract(t, postgresBroker))
t.test('with NATS', { skip: WITHOUT_NATS }, (t) => contract(t, natsBroker))

t.test('what is not an event holds up nothing', { skip: WITHOUT_NATS }, async (t) => {
  const nats = await startNats(t)
  const consumers = [recordingConsumer('people', ['users.*.platform'])]
  const { app, db, relay, logs } = await startBroker(t, natsAt(nats), consumers)
  await db.query('CREATE TABLE handled (number serial, consumer text, event jsonb)')
  await emitOne(app)
  t.equal(await relay.pass(), 1)
  await eventually(async () => (await handledBy(db, 'people')).length === 1)
  const [event] = await handledBy(db, 'people')
  const broken = [
    ...['', 'null', '[]', '{}', '"text"', '{"id":1}', 'not JSON'],
    ...[{ id: 'x' }, { data: null }, { type: 'users' }, { organizationid: 'x' }, { actorkind: 1 }].map(
      (part) => JSON.stringify({ ...event, ...part }),
    ),
    ...['\0', '\ud800'].map((text) => JSON.stringify({ ...event, data: { text } })),
  ]
  // More of each than are fetched together.
  for (let count = 0; count < 3; count++) {
    for (const text of broken) await nats.publish('contract.users.created.platform', text)
  }
  const subject = await emitOne(app)
  t.equal(await relay.pass(), 1)
  await eventually(async () => (await handledBy(db, 'people')).length === 2)
  t.equal((await handledBy(db, 'people')).at(-1)?.subject, `user/${subject}`)
  const left = logs().filter(({ msg }) => msg === 'a message of the broker is left out')
  t.equal(left.length, 1, 'once a minute')
})
