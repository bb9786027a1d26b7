import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Database } from '#lib/database/database.ts'
import { PostgresStore } from '#lib/rate-limits/postgres-store.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'

const CLAIM = { subject: 'a', points: 10, owed: 0, wanted: 1 }

/** A store on a database that can be away, the statements that reach it, and what the store says. */
function createStore(t: Test, app: FastifyInstance) {
  const asked: string[] = []
  const state = { isAway: false, forgets: false }
  const db: Database = {
    async query(statement) {
      if (state.isAway) throw new Error('away')
      asked.push(statement.name)
      return state.forgets ? [] : app.db.query(statement)
    },
    transaction: (work) => app.db.transaction(work),
  }
  const said: { level: string; fields: object; message: string }[] = []
  const say = (level: string) => (fields: object, message: string) =>
    void said.push({ level, fields, message })
  const log = { info: say('info'), warn: say('warn'), error: say('error') }
  const store = new PostgresStore(db, { windowMs: 3_600_000, timeout: 60_000 }, log)
  t.teardown(() => store.close())
  return { store, asked, said, state, count: (name: string) => asked.filter((one) => one === name).length }
}

t.test('after a failure it is not asked until it has answered, and both are said once', async (t) => {
  const { store, said, state, count } = createStore(t, (await borrowTestApp(t)).app)
  t.ok(store.isAvailable)
  for (const round of [1, 2]) {
    state.isAway = true
    const failures = await Promise.allSettled([store.take([CLAIM]), store.take([CLAIM])])
    t.match(failures, [{ status: 'rejected', reason: { message: 'away' } }, { status: 'rejected' }])
    t.notOk(store.isAvailable)
    t.equal(count('checkRateLimits'), round - 1)
    t.match(said.slice(2 * round - 2), [
      { level: 'warn', fields: { err: { message: 'away' } }, message: /each instance alone/ },
    ])
    state.isAway = false
    await eventually(async () => store.isAvailable)
    t.equal(count('checkRateLimits'), round)
    t.match(said.slice(2 * round - 1), [{ level: 'info', message: /together again/ }])
    t.match(await store.take([CLAIM]), [{ granted: 1 }])
  }
  t.equal(said.length, 4)
})

t.test('a claim without an answer is a failure', async (t) => {
  const { store, state } = createStore(t, (await borrowTestApp(t)).app)
  state.forgets = true
  await t.rejects(store.take([CLAIM]), { message: 'a claim was not answered' })
  t.notOk(store.isAvailable)
})

t.test('once it is closed it does not look whether it is there again', async (t) => {
  const { app } = await borrowTestApp(t)
  const [looking, closed, other] = [createStore(t, app), createStore(t, app), createStore(t, app)]
  closed.store.close()
  for (const { store, state } of [looking, closed, other]) {
    state.isAway = true
    await t.rejects(store.take([CLAIM]))
  }
  looking.store.close()
  for (const { state } of [looking, closed, other]) state.isAway = false
  // It began to look when the others would have.
  await eventually(async () => other.store.isAvailable)
  for (const { store, asked } of [looking, closed]) t.same([store.isAvailable, asked], [false, []])
  t.same([looking.said.length, closed.said.length], [1, 0])
})

t.test('what has expired is deleted from time to time, and not at each question', async (t) => {
  const real = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => real() + ahead })
  const { store, count } = createStore(t, (await borrowTestApp(t)).app)
  await store.take([CLAIM])
  t.equal(count('deleteExpiredCounts'), 0)
  ahead = 10_000
  for (let turn = 0; turn < 3; turn++) await store.take([CLAIM])
  t.equal(count('deleteExpiredCounts'), 1)
  ahead = 20_001
  await store.take([CLAIM])
  t.equal(count('deleteExpiredCounts'), 2)
})
