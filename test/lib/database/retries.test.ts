import t, { type Test } from 'tap'
import type { Database } from '#lib/database/database.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { createTestApp } from '#test/support/helper.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const add = (id: number) => ({
  name: 'add',
  text: 'UPDATE accounts SET balance = balance + 1 WHERE id = $1',
  values: [id],
})

async function setUp(t: Test) {
  const { app, db, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const balances = async () => {
    const rows = await db.query<{ balance: number }>('SELECT balance FROM accounts ORDER BY id')
    return rows.map(({ balance }) => balance)
  }
  await db.query('CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)')
  await db.query('INSERT INTO accounts VALUES (1, 0), (2, 0)')
  // For the connections that the application has yet to open.
  await db.querySuper(`ALTER DATABASE ${db.name} SET deadlock_timeout = '20ms'`)
  const retries = async (state: string) => {
    const line = new RegExp(`^db_retries_total{state="${state}"} (\\d+)`, 'm')
    return Number(line.exec(await app.metrics.metrics())?.[1] ?? 0)
  }
  return { app, db, request, signUp, balances, retries }
}

/** Lets `count` parties wait for each other, once. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let arrived = 0
  return () => {
    if (++arrived === count) resolve()
    return promise
  }
}

/** Makes the first `times` updates of accounts and inserts of users fail, however often what they did is undone. */
async function failFirst(db: TestDatabase, state: string, times: number): Promise<void> {
  await db.query('DROP SEQUENCE IF EXISTS tries CASCADE')
  await db.query('CREATE SEQUENCE tries')
  await db.query(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      IF nextval('tries') <= ${times} THEN RAISE EXCEPTION 'planted' USING ERRCODE = '${state}'; END IF;
      RETURN NULL;
    END $$`)
  for (const [event, table] of Object.entries({ UPDATE: 'accounts', INSERT: 'users' })) {
    await db.query(`CREATE OR REPLACE TRIGGER fail AFTER ${event} ON ${table} EXECUTE FUNCTION fail()`)
  }
}

async function tries(db: TestDatabase): Promise<number> {
  const [row] = await db.query<{ last_value: string }>('SELECT last_value FROM tries')
  return Number(row?.last_value)
}

t.test('two that lock in opposite order: one is undone, and done again', async (t) => {
  const { app, balances, retries } = await setUp(t)
  const both = barrier(2)
  let begun = 0
  const transfer = (first: number, second: number) =>
    app.db.transaction(async (tx) => {
      begun++
      await tx.query(add(first))
      await both()
      await tx.query(add(second))
      return 'done'
    })
  t.same(await Promise.all([transfer(1, 2), transfer(2, 1)]), ['done', 'done'])
  t.equal(begun, 3, 'only the victim retries')
  t.same(await balances(), [2, 2], 'each counts once')
  t.equal(await retries('40P01'), 1)
})

t.test('a serialization failure, also one that shows at the commit', async (t) => {
  const { app, balances, retries } = await setUp(t)
  const both = barrier(2)
  const sum = (id: number) =>
    app.db.transaction(async (tx) => {
      await tx.query({ name: 'level', text: 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE' })
      const text = 'SELECT sum(balance)::int + 1 AS next FROM accounts'
      const [row] = await tx.query<{ next: number }>({ name: 'sum', text })
      await both()
      const values = [id, row?.next]
      await tx.query({ name: 'set', text: 'UPDATE accounts SET balance = $2 WHERE id = $1', values })
    })
  await Promise.all([sum(1), sum(2)])
  t.same((await balances()).sort(), [1, 2], 'as if one had come after the other')
  t.equal(await retries('40001'), 1)
})

t.test('a bounded number of times', async (t) => {
  const { app, db, balances, retries } = await setUp(t)
  const work = (tx: Database) => tx.query(add(1))
  let expected = 0
  for (const state of ['40001', '40P01']) {
    await failFirst(db, state, 2)
    await app.db.transaction(work)
    t.equal(await tries(db), 3)
    t.same(await balances(), [++expected, 0], 'the third time it goes well')
    t.equal(await retries(state), 2)

    await failFirst(db, state, 3)
    await expectUnavailable(t, app.db.transaction(work))
    t.equal(await tries(db), 3, 'there is no fourth')
    t.same(await balances(), [expected, 0], 'nothing is left')

    await failFirst(db, state, 1)
    await app.db.query(add(1))
    t.same(await balances(), [++expected, 0], 'a statement of its own is repeated too')
    t.equal(await tries(db), 2)
  }
})

t.test('nothing else is repeated', async (t) => {
  const { app, db } = await setUp(t)
  for (const state of ['53100', '57014', '55P03']) {
    await failFirst(db, state, 1)
    await expectUnavailable(
      t,
      app.db.transaction((tx) => tx.query(add(1))),
    )
    t.equal(await tries(db), 1, state)
  }
  await failFirst(db, '23514', 1)
  await t.rejects(
    app.db.transaction((tx) => tx.query(add(1))),
    { code: '23514' },
  )
  t.equal(await tries(db), 1)
})

t.test('a transaction inside another is retried only with the whole', async (t) => {
  const { app, db, balances } = await setUp(t)
  await failFirst(db, '40001', 2)
  const begun = { outer: 0, inner: 0 }
  await app.db.transaction(async (tx) => {
    begun.outer++
    await tx.query({ name: 'note', text: 'INSERT INTO accounts VALUES (3, 0)' })
    await tx.transaction(async (inner) => {
      begun.inner++
      await inner.query(add(1))
    })
  })
  t.same(begun, { outer: 3, inner: 3 })
  t.same(await balances(), [1, 0, 0])
})

t.test('requests do not notice', async (t) => {
  const { db, request, signUp } = await setUp(t)
  const admin = await signUp({ role: 'admin' })
  await failFirst(db, '40P01', 2)
  const payload = { email: 'ada@example.com', username: 'ada' }
  const invited = await request({
    method: 'POST',
    url: '/api/v1/users/invitations',
    as: admin,
    payload,
  })
  t.equal(invited.statusCode, 201)
  t.match(await db.query('SELECT count(*)::int FROM users'), [{ count: 2 }])
  t.match(await db.query('SELECT count(*)::int FROM one_time_tokens'), [{ count: 1 }])
  t.match(await db.query("SELECT count(*)::int FROM pgboss.job WHERE name = 'send_mail'"), [{ count: 1 }])
})
