import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { emit } from '#services/events/emit.ts'
import { purgeEventsJob } from '#services/events/jobs.ts'
import { oldestAge } from '#services/events/oldest-age.ts'
import { Relay } from '#services/events/relay.ts'
import type { OutboxEvent, Sink } from '#services/events/sink.ts'
import { userCreated } from '#services/users/events.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestApp } from '#test/support/helper.ts'

const BATCH = 10

/** A sink of a test: what it took, in the order of its batches. */
function sinkOf(take?: Sink['take']): { sink: Sink; taken: OutboxEvent[][] } {
  const taken: OutboxEvent[][] = []
  const sink: Sink = {
    name: 'test',
    column: 'broker_at',
    batch: BATCH,
    isUsed: () => true,
    take: async (ctx, events) => {
      taken.push([...events])
      return take ? take(ctx, events) : events.map(({ id }) => id)
    },
  }
  return { sink, taken }
}

async function start(t: Test) {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  await testApp.db.query('DELETE FROM events')
  return { ...testApp, ctx: testApp.app.ctx, log: testApp.app.log }
}

/** Emits events, and returns the ids of their subjects. */
async function emitSome({ ctx }: TestApp['app'], count: number): Promise<string[]> {
  const subjects = Array.from({ length: count }, () => uuidv7())
  for (const subject of subjects) await emit(ctx, userCreated, { subject, data: {} })
  return subjects
}

const subjectsOf = (taken: OutboxEvent[][]) => taken.flat().map(({ subject }) => subject.id)

t.test('events go to the sink once, oldest first, in batches', async (t) => {
  const { app, ctx, db, log } = await start(t)
  const subjects = await emitSome(app, 2 * BATCH + 3)
  const { sink, taken } = sinkOf()
  const relay = new Relay(sink, { ctx, log })
  while ((await relay.pass()) > 0);
  t.same(
    taken.map((batch) => batch.length),
    [BATCH, BATCH, 3],
  )
  t.same(subjectsOf(taken), subjects)
  t.match(taken[0]?.[0], {
    type: 'users.created',
    organization_id: null,
    actor: { kind: 'system' },
    data: '{}',
  })
  t.same(await db.query('SELECT id FROM events WHERE broker_at IS NULL OR fanned_out_at IS NOT NULL'), [])
})

t.test('one whose transaction commits late is not passed over', async (t) => {
  const { app, ctx, log } = await start(t)
  const { sink, taken } = sinkOf()
  const relay = new Relay(sink, { ctx, log })
  const late = uuidv7()
  const [soon] = await transaction(ctx, async (tx) => {
    await emit(tx, userCreated, { subject: late, data: {} })
    // Another connection's, which has the later id, and is committed and taken before.
    const others = await emitSome(app, 1)
    t.equal(await relay.pass(), 1)
    return others
  })
  t.equal(await relay.pass(), 1)
  t.same(subjectsOf(taken), [soon, late])
})

t.test('relays that work at once share the events, and none waits for another', async (t) => {
  const { app, ctx, log } = await start(t)
  const subjects = await emitSome(app, 2 * BATCH)
  const first = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = sinkOf(async (_ctx, events) => {
    begun.resolve()
    await first.promise
    return events.map(({ id }) => id)
  })
  const quick = sinkOf()
  const waiting = new Relay(slow.sink, { ctx, log }).pass()
  await begun.promise
  t.equal(await new Relay(quick.sink, { ctx, log }).pass(), BATCH)
  first.resolve()
  t.equal(await waiting, BATCH)
  t.same([...subjectsOf(slow.taken), ...subjectsOf(quick.taken)].sort(), [...subjects].sort())
})

t.test('what a sink does not take comes again, with what it did undone if it failed', async (t) => {
  const { app, ctx, db, log } = await start(t)
  await db.query('CREATE TABLE copies (id uuid PRIMARY KEY)')
  t.teardown(() => db.query('DROP TABLE copies'))
  const subjects = await emitSome(app, 3)
  let attempts = 0
  const copying = async ({ db }: { db: SystemDatabase }, events: readonly OutboxEvent[]) => {
    const ids = events.map(({ id }) => id)
    const text = 'INSERT INTO copies SELECT unnest($1::uuid[])'
    await db.query({ name: 'copy', text, values: [ids], prepare: false })
    if (++attempts === 1) throw new Error('after its work, before the commit')
    return ids
  }
  const failing = sinkOf(copying)
  const relay = new Relay(failing.sink, { ctx, log })
  await t.rejects(relay.pass(), /before the commit/)
  t.equal(await relay.pass(), 3)
  t.same(subjectsOf(failing.taken), [...subjects, ...subjects])
  t.same(failing.taken[0], failing.taken[1], 'the same events with the same ids')
  t.equal((await db.query('SELECT id FROM copies')).length, 3)

  const [kept = ''] = await emitSome(app, 1)
  const refusing = sinkOf(async () => [])
  t.equal(await new Relay(refusing.sink, { ctx, log }).pass(), 0)
  t.ok((await oldestAge(ctx, 'broker_at')) >= 0)
  const next = sinkOf()
  t.equal(await new Relay(next.sink, { ctx, log }).pass(), 1)
  t.same(subjectsOf(next.taken), [kept])
  t.equal(await oldestAge(ctx, 'broker_at'), 0)
})

t.test('a relay runs until it is closed: poked or not, and after a sink that failed', async (t) => {
  const { app, ctx, log } = await start(t)
  let failures = 0
  let isAway = true
  const { sink, taken } = sinkOf(async (_ctx, events) => {
    if (isAway) throw new Error('the sink is away')
    return events.map(({ id }) => id)
  })
  const relay = new Relay(sink, { ctx, log, failed: () => failures++ })
  app.onEmitted(() => relay.poke())
  relay.start()
  const subjects = await emitSome(app, 2)
  await eventually(async () => failures > 1)
  isAway = false
  await eventually(async () => (await oldestAge(ctx, 'broker_at')) === 0)
  t.same(subjectsOf(taken.slice(-1)), subjects)
  await relay.close()
  await emitSome(app, 1)
  t.ok((await oldestAge(ctx, 'broker_at')) >= 0)
})

t.test('events are kept as long as the settings say, taken or not', async (t) => {
  const { app, ctx, db, log } = await start(t)
  const [old, kept] = [await emitSome(app, 1), await emitSome(app, 1)]
  const [hour, now] = [60 * 60 * 1000, Date.now()]
  await db.query("UPDATE events SET id = '00000000-0000-7000-8000-000000000001' WHERE subject_id = $1", old)
  const run = {
    id: uuidv7(),
    attempt: 1,
    signal: AbortSignal.timeout(600_000),
    complete: async () => undefined,
  }
  // Twice, as every hour: the times differ.
  for (const time of [now - 1, now]) {
    const context = { ...ctx, log, now: () => new Date(time), events: { retentionMs: hour } }
    await purgeEventsJob.handler(context, {}, run)
  }
  t.match(await db.query('SELECT subject_id FROM events'), [{ subject_id: kept[0] }])
  t.equal(app.ctx.events.retentionMs, 30 * 24 * hour)
})
