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
