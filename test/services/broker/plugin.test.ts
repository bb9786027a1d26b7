import t from 'tap'
import { ConfigError } from '#config/engine/config-error.ts'
import { loadConfig } from '#config/load.ts'
import { purgeConsumedEventsJob } from '#services/broker/jobs.ts'
import { firstIdOf } from '#services/events/jobs.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { bucketsOf } from '#test/support/buckets.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startNats, WITHOUT_NATS } from '#test/support/nats-server.ts'
import { emitOne } from './brokers.ts'

t.test('without a broker and without consumers, events wait and nobody is alarmed', async (t) => {
  const { app, db, request } = await borrowTestApp(t)
  t.notOk(app.ctx.broker.isUsed)
  await emitOne(app)
  const { body } = await request({ url: '/metrics' })
  t.notMatch(body, /^broker_|sink="broker"/m)
  t.match(await db.query('SELECT broker_at FROM events'), [{ broker_at: null }])
})

t.test('a broker without an address is refused', async (t) => {
  const load = (env: object) => loadConfig({ env: { APP_ENVIRONMENT: 'test', ...env } })
  t.throws(() => load({ APP_BROKER__KIND: 'nats' }), ConfigError)
  t.throws(
    () => load({ APP_BROKER__KIND: 'nats' }),
    /APP_BROKER__URLS: must be set while broker\.kind is nats/,
  )
  t.equal(load({ APP_BROKER__KIND: 'nats', APP_BROKER__URLS: 'nats://x' }).config.broker.kind, 'nats')
})

t.test('what was handled is forgotten when it cannot come again', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const [hour, now] = [60 * 60 * 1000, Date.now()]
  const retentionMs = hour
  const [old, kept] = [firstIdOf(now - 2 * hour - 1000), firstIdOf(now - 2 * hour + 60_000)]
  await db.query("INSERT INTO consumed_events (event_id, consumer) VALUES ($1, 'a'), ($1, 'b'), ($2, 'a')", [
    old,
    kept,
  ])
  const run = { id: old, attempt: 1, signal: AbortSignal.timeout(600_000), complete: async () => undefined }
  for (const time of [now - 1, now]) {
    const ctx = { ...app.ctx, now: () => new Date(time), events: { retentionMs } }
    await purgeConsumedEventsJob.handler(ctx, {}, run)
  }
  t.match(await db.query('SELECT event_id, consumer FROM consumed_events'), [
    { event_id: kept, consumer: 'a' },
  ])
})

t.test('with NATS, every event is in its stream, and the metrics tell', { skip: WITHOUT_NATS }, async (t) => {
  const nats = await startNats(t, { user: 'a b', password: 'p/w' })
  const { app, db, request, logs } = await createTestApp(t, {
    APP_BROKER__KIND: 'nats',
    APP_BROKER__URLS: nats.url,
    APP_BROKER__PREFIX: 'mine',
    APP_BROKER__REPLICAS: '1',
    APP_BROKER__TIMEOUT: '3s',
    APP_EVENTS__RETENTION: '2d',
  })
  t.strictSame(
    bucketsOf(app.metrics, 'broker_publish_duration_seconds'),
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  )
  const subjects = [await emitOne(app), await emitOne(app)]
  const waiting = () => db.query('SELECT id FROM events WHERE broker_at IS NULL')
  await eventually(async () => (await waiting()).length === 0)
  t.equal(await nats.maxAgeOf('mine'), 2 * 24 * 60 * 60 * 1000)
  const messages = await nats.messages('mine')
  const cloudEvents = messages.map((message) => ({
    message,
    event: message.json<{ id: string; subject: string }>(),
  }))
  t.equal(messages.length, subjects.length)
  for (const id of subjects) {
    const [row] = await db.query('SELECT id FROM events WHERE subject_id = $1', [id])
    const { message, event } = cloudEvents.find(({ event }) => event.subject === `user/${id}`) ?? {}
    t.equal(event?.id, row?.['id'])
    t.equal(message?.subject, 'mine.users.created.platform')
    t.equal(message?.header.get('Nats-Msg-Id'), row?.['id'])
    t.equal(message?.header.get('content-type'), 'application/cloudevents+json')
  }
  const { body } = await request({ url: '/metrics' })
  for (const line of ['broker_up 1', 'broker_streams_created_total 1', 'broker_events_received_total 0'])
    t.match(body, new RegExp(`^${line}$`, 'm'))
  t.match(body, /^broker_publish_duration_seconds_count [12]$/m)
  t.match(body, /^events_relayed_total\{sink="broker"\} 2$/m)
  t.ok(logs().some(({ msg }) => String(msg).startsWith('the broker had no stream, and it was created')))
  t.notMatch(JSON.stringify(logs()), /p\/w|p%2Fw/)
})
