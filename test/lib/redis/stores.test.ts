import t, { type Test } from 'tap'
import { PostgresStore } from '#lib/rate-limits/postgres-store.ts'
import { deleteExpiredCounts } from '#lib/rate-limits/queries.ts'
import { RedisStore } from '#lib/rate-limits/redis-store.ts'
import type { Grant, Store } from '#lib/rate-limits/store.ts'
import { RedisConnection } from '#lib/redis/connection.ts'
import { Redis } from '#lib/redis/redis.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { holdTransaction } from '#test/support/locks.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

const WINDOW_MS = 3_600_000
/** One that a test can wait for. */
const SHORT_MS = 300
/** PostgreSQL's clock may go on within a statement. */
const CLOCK_MS = 100
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

async function redisStore(t: Test): Promise<(windowMs: number) => Store> {
  const connection = new RedisConnection((await startRedis(t)).url, '', silent)
  t.teardown(() => connection.close())
  await connection.start()
  const redis = new Redis(connection, { timeout: 60_000, prefix: '', finished: () => undefined })
  return (windowMs) => new RedisStore(redis, windowMs)
}

async function postgresStore(t: Test): Promise<(windowMs: number) => Store> {
  const { app } = await borrowTestApp(t)
  return (windowMs) => new PostgresStore(app.db, { windowMs, timeout: 60_000 }, app.log)
}

const STORES = {
  Redis: { open: redisStore, skip: WITHOUT_REDIS },
  PostgreSQL: { open: postgresStore, skip: false },
}

for (const [name, { open, skip }] of Object.entries(STORES)) {
  t.test(`claims in ${name}`, { skip }, async (t) => {
    const openStore = await open(t)

    t.test('what is owed counts in any case, and leaves less to be granted', async (t) => {
      const store = openStore(WINDOW_MS)
      const take = async (owed: number, wanted: number) =>
        used(await store.take([{ subject: 'debts', points: 10, owed, wanted }]))
      t.same(await take(3, 4), [{ granted: 4, used: 7 }])
      t.same(await take(2, 5), [{ granted: 1, used: 10 }])
      t.same(await take(5, 1), [{ granted: 0, used: 15 }])
      t.same(await take(0, 1), [{ granted: 0, used: 15 }])
    })

    t.test('a debt that comes first is counted with the rest', async (t) => {
      const store = openStore(WINDOW_MS)
      const claims = [
        { subject: 'only owed', points: 10, owed: 4, wanted: 0 },
        { subject: 'too much', points: 10, owed: 12, wanted: 3 },
        { subject: 'nothing', points: 10, owed: 0, wanted: 0 },
      ]
      t.same(used(await store.take(claims)), [
        { granted: 0, used: 4 },
        { granted: 0, used: 12 },
        { granted: 0, used: 0 },
      ])
      const again = claims.map((claim) => ({ ...claim, owed: 0, wanted: 20 }))
      t.same(used(await store.take(again)), [
        { granted: 6, used: 10 },
        { granted: 0, used: 12 },
        { granted: 10, used: 10 },
      ])
    })

    t.test('single points count, and no claim makes the window longer', async (t) => {
      const store = openStore(WINDOW_MS)
      const left: number[] = []
      for (const count of [1, 2, 3]) {
        const [grant] = await store.take([{ subject: 'single', points: 3, owed: 0, wanted: 1 }])
        t.match(grant, { granted: 1, used: count })
        left.push(Number(grant?.resetsIn))
      }
      t.same(used(await store.take([{ subject: 'single', points: 3, owed: 0, wanted: 1 }])), [
        { granted: 0, used: 3 },
      ])
      for (const ms of left) t.ok(ms > 0 && ms <= WINDOW_MS + CLOCK_MS, `${ms}`)
      t.same(
        left.toSorted((a, b) => b - a),
        left,
      )
      t.same(used(await store.take([{ subject: 'single', points: 3, owed: 1, wanted: 0 }])), [
        { granted: 0, used: 4 },
      ])
    })

    t.test('the window begins with the first claim, and ends', async (t) => {
      const store = openStore(SHORT_MS)
      const take = () => store.take([{ subject: 'window', points: 10, owed: 0, wanted: 1 }])
      const [first] = await take()
      t.ok(first && first.resetsIn > 0 && first.resetsIn <= SHORT_MS + CLOCK_MS, `${first?.resetsIn}`)
      await eventually(async () => (await take())[0]?.used === 1)
    })
  })
}

t.test(
  'counts in PostgreSQL are deleted a second after their window, and nobody waits for a row',
  async (t) => {
    const { app, db } = await borrowTestApp(t)
    await db.query(
      `INSERT INTO rate_limits (subject, points, used, granted, expires_at)
     SELECT subject, 1, 1, 1, now() - interval '2 seconds'
     FROM unnest(ARRAY['ended', 'held', 'just ended', 'ends soon', 'goes on']) AS subject`,
    )
    const held = await holdTransaction(t, db, "SELECT FROM rate_limits WHERE subject = 'held' FOR UPDATE")
    // In a transaction the database's clock stands still.
    await app.db.transaction(async (tx) => {
      await tx.query({
        name: 'renewCounts',
        text: `UPDATE rate_limits r SET expires_at = now() + seconds * interval '1 second'
             FROM (VALUES ('just ended', -0.5), ('ends soon', 0.5), ('goes on', 3600)) AS row (subject, seconds)
             WHERE r.subject = row.subject`,
      })
      await deleteExpiredCounts(tx)
    })
    await held.commit()
    t.same(
      (await db.query('SELECT subject FROM rate_limits ORDER BY subject')).map(({ subject }) => subject),
      ['ends soon', 'goes on', 'held', 'just ended'],
    )
  },
)

function used(grants: readonly Grant[]): Pick<Grant, 'granted' | 'used'>[] {
  return grants.map(({ granted, used }) => ({ granted, used }))
}
