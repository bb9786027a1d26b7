import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { whenAvailable } from '#lib/database/when-available.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const ONE = { name: 'one', text: 'SELECT 1 AS one' }
/** Seconds: much more than anything here takes, and less than any of it in milliseconds would be. */
const LONG = 20

t.test('only so many wait for a connection, and it is told how long', async (t) => {
  const { url } = await createTestDatabase(t)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  const waits: number[] = []
  const told: string[] = []
  const observer = {
    queried: (name: string) => void told.push(name),
    waited: (seconds: number) => void waits.push(seconds),
    repeated: () => undefined,
    cancelled: () => undefined,
    emitted: () => void told.push('emitted'),
  }
  const db = new PoolDatabase(pool, observer, { maxWaiting: 2 })
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const first = db.transaction(async (tx) => {
    await tx.query(ONE)
    await held
  })
  // Once the connection is there, it is taken.
  while (pool.totalCount === pool.idleCount || waits.length === 0) await new Promise(setImmediate)
  const waiting = [db.query(ONE), db.query({ ...ONE, emits: true })]
  while (pool.waitingCount < 2) await new Promise(setImmediate)
  await expectUnavailable(t, db.query(ONE), 'a third one is refused at once')
  await expectUnavailable(
    t,
    db.transaction(async (tx) => tx.query(ONE)),
    'and so is a transaction',
  )
  t.equal(waits.length, 1, 'they have not waited')
  release()
  await first
  t.same(await Promise.all(waiting), [[{ one: 1 }], [{ one: 1 }]])
  t.equal(waits.length, 3)
  for (const seconds of waits) t.ok(seconds >= 0 && seconds < LONG, `${seconds}`)
  t.same(told, ['one', 'one', 'one', 'emitted'])
})

t.test('work of a start that the end cuts off is nobody’s error', async (t) => {
  for (const error of [new Error('terminated'), new DatabaseUnavailable()]) {
    const closing = new AbortController()
    const { promise: cut, reject } = Promise.withResolvers<void>()
    const away: unknown[] = []
    const started = whenAvailable(() => cut, {
      signal: closing.signal,
      connectionTimeoutMs: 1_000_000,
      away: (cause) => void away.push(cause),
    })
    closing.abort()
    reject(error)
    await t.resolves(started)
    t.strictSame(away, [], 'nothing is said of a database that is away')
  }
})

t.test('a start waits for its work, but not for a database that is away or slow', async (t) => {
  // The start's own timers keep no process alive.
  const alive = setInterval(() => undefined, 600_000)
  t.teardown(() => clearInterval(alive))
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
  const start = async (work: () => Promise<unknown>, connectionTimeoutMs: number) => {
    const said: unknown[] = []
    const ending = new AbortController()
    const before = timers()
    try {
      await whenAvailable(work, {
        signal: ending.signal,
        connectionTimeoutMs,
        away: (cause) => said.push(cause),
        slow: () => said.push('slow'),
      })
      // What goes on in the background has begun with its pause.
      await new Promise((resolve) => setImmediate(resolve))
      return { said, isGoingOn: timers() > before }
    } finally {
      ending.abort()
    }
  }
  t.strictSame(await start(() => sleep(20), 2000), { said: [], isGoingOn: false })
  const { promise: never } = Promise.withResolvers<void>()
  t.strictSame(await start(() => never, -1999), { said: ['slow'], isGoingOn: false })
  const cause = new Error('it is away')
  const away = new DatabaseUnavailable({ cause })
  t.strictSame(await start(() => Promise.reject(away), 2000), { said: [cause], isGoingOn: true })
  await t.rejects(
    start(() => Promise.reject(new Error('a mistake')), 2000),
    { message: 'a mistake' },
  )
})
