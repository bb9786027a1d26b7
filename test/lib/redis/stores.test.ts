import t, { type Test } from 'tap'
import { PostgresStore } from '#lib/rate-limits/postgres-store.ts'
import { RedisStore } from '#lib/rate-limits/redis-store.ts'
import type { Grant, Store } from '#lib/rate-limits/store.ts'
import { RedisConnection } from '#lib/redis/connection.ts'
import { Redis } from '#lib/redis/redis.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

const WINDOW_MS = 3_600_000
/** One that a test can wait for. */
const SHORT_MS = 300
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

    t.test('the window begins with the first claim, and ends', async (t) => {
      const store = openStore(SHORT_MS)
      const take = () => store.take([{ subject: 'window', points: 10, owed: 0, wanted: 1 }])
      const [first] = await take()
      t.ok(first && first.resetsIn > 0 && first.resetsIn < WINDOW_MS, `${first?.resetsIn}`)
      await eventually(async () => (await take())[0]?.used === 1)
    })
  })
}

function used(grants: readonly Grant[]): Pick<Grant, 'granted' | 'used'>[] {
  return grants.map(({ granted, used }) => ({ granted, used }))
}
