import pg from 'pg'
import t, { type Test } from 'tap'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { PrimaryPosition } from '#lib/database/replicas/primary-position.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { Session } from '#lib/database/session.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { type Said, startFakePostgres } from '#test/support/fake-postgres.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const OPENED = {
  direct: true,
  replication_role: 'origin',
  encoding: 'UTF8',
  limit_before: '0',
  limit_after: '0',
}
const ONE = { name: 'one', text: 'SELECT 1 AS one' }

/** The database behind a server that says what the test wants, what its observer is told, and a clock. */
async function open(t: Test, say: (text: string) => Said, { isPooled = false, isTraced = false } = {}) {
  const clock = { ms: 0 }
  t.intercept(performance, 'now', { value: () => clock.ms })
  const server = await startFakePostgres(t, (text) => {
    if (!text.includes('AS direct') && !text.includes('pg_settings')) return say(text)
    clock.ms += 1000
    return text.includes('AS direct')
      ? [{ ...OPENED, direct: !isPooled }]
      : [{ settings: { extra_float_digits: '1' }, schemas: ['public'] }]
  })
  const Client = class extends Session {
    constructor() {
      super(connectionTo(server.url), { pipeline: true })
    }
  }
  const pool = new pg.Pool({ Client, max: 2 })
  const told: unknown[] = []
  const db = new PoolDatabase(pool, {
    queried: (name, seconds) => told.push(['queried', name, seconds]),
    waited: (seconds) => told.push(['waited', seconds]),
    repeated: (state) => told.push(['repeated', state]),
    cancelled: () => told.push(['cancelled']),
    emitted: () => told.push(['emitted']),
    trace: isTraced
      ? async (name, work) => {
          const result = await work()
          told.push(['traced', name])
          return result
        }
      : undefined,
  })
  t.teardown(async () => {
    await db.close()
    await pool.end()
  })
  /** The statements since the last call, without the login. */
  const asked = () => server.asked.splice(0).filter((text) => !/AS direct|pg_settings/.test(text))
  return { db, told, asked, clock }
}

t.test('what the database does is told in seconds, and in a span where there are traces', async (t) => {
  for (const isTraced of [false, true]) {
    const { db, told, clock } = await open(
      t,
      () => {
        clock.ms += 250
        return [{ one: '1' }]
      },
      { isTraced },
    )
    const traced = isTraced ? [['traced', 'one']] : []
    t.strictSame(await db.query(ONE), [{ one: '1' }])
    t.strictSame(told.splice(0), [['waited', 1], ...traced, ['queried', 'one', 0.25]])
    await db.query({ ...ONE, emits: true })
    t.strictSame(told.splice(0), [['waited', 0], ...traced, ['queried', 'one', 0.25], ['emitted']])
    await db.transaction(async (tx) => {
      await tx.query({ ...ONE, emits: true })
      t.notMatch(told, [['emitted']], 'not before it is committed')
    })
    t.strictSame(told.splice(0).at(-1), ['emitted'])
    await db.transaction((tx) => tx.query({ ...ONE, emits: false }))
    t.notMatch(told.splice(0).at(-1), ['emitted'])
  }
})

t.test('a failure is told as well, and what is lost to others is repeated', async (t) => {
  let failures: Said[] = []
  const { db, told } = await open(t, (text) => (text.includes('one') ? (failures.shift() ?? []) : []))
  const lost = { code: '40001', message: 'could not serialize access' }
  failures = [{ code: '42601', message: 'syntax error' }]
  await t.rejects(db.query({ ...ONE, emits: true }), { code: '42601' })
  t.match(told.splice(0), [['waited'], ['queried', 'one']])
  t.equal(told.length, 0, 'nothing was emitted')
  failures = [lost, lost]
  await db.query(ONE)
  t.strictSame(
    told.splice(0).filter((line) => Array.isArray(line) && line[0] === 'repeated'),
    [
      ['repeated', '40001'],
      ['repeated', '40001'],
    ],
  )
  failures = [lost, lost, lost, []]
  await expectUnavailable(t, db.query(ONE), 'it is given up')
  t.strictSame(failures, [[]], 'three attempts in all')
})

t.test('what one server is to do is a transaction behind a pooler alone', async (t) => {
  for (const isPooled of [false, true]) {
    const { db, asked } = await open(t, (text) => [{ text }], { isPooled })
    asked()
    await db.query(ONE)
    asked()
    const rows = await db.onOneServer(async (one) => {
      await one.query({ name: 'first', text: 'SELECT first' })
      return one.query({ name: 'second', text: 'SELECT second' })
    })
    t.strictSame(rows, [{ text: 'SELECT second' }])
    const statements = ['SELECT first', 'SELECT second']
    t.strictSame(asked(), isPooled ? ['BEGIN', ...statements, 'COMMIT'] : statements)
    await t.rejects(
      db.onOneServer(() => Promise.reject(new Error('nothing was sent'))),
      { message: 'nothing was sent' },
    )
    t.strictSame(asked(), [])
  }
})

t.test('a scope is set where it differs from that of the statement before', async (t) => {
  const { db, asked } = await open(t, () => [])
  const org = new OrgDatabase(db, '018bcfe5-6800-7000-8000-00000000000a')
  const set = /^SELECT 1 WHERE set_config\('app\.org_id'/
  await db.query(ONE)
  asked()
  await org.query(ONE)
  t.match(asked(), [set, ONE.text])
  await db.query(ONE)
  t.strictSame(asked(), [ONE.text], 'it ends with its statement')
  await db.transaction(async (tx) => {
    const scoped = new OrgDatabase(tx, org.org)
    await scoped.query(ONE)
    await scoped.query(ONE)
    await tx.query(ONE)
    await tx.query(ONE)
  })
  t.match(asked(), ['BEGIN', set, ONE.text, ONE.text, set, ONE.text, ONE.text, 'COMMIT'])
})

t.test('the position of the primary', async (t) => {
  let said: Said = []
  const { db, asked } = await open(t, () => said)
  const position = new PrimaryPosition(db)
  const at = (lsn: string, timeline: string, second: number) => {
    said = [{ lsn, timeline, now: `2026-01-01T00:00:0${second}.000Z` }]
    return position.read()
  }
  const [first, second] = ['2026-01-01T00:00:01.000Z', '2026-01-01T00:00:03.000Z']
  t.strictSame(await at('16/B0', '1', 1), { lsn: '16/B0', since: first, now: Date.parse(first) })
  t.match(asked(), [/pg_current_wal_insert_lsn\(\)\s+ELSE pg_current_wal_flush_lsn\(\)/])
  t.match(await at('16/B1', '1', 2), { lsn: '16/B1', since: first, now: Date.parse(first) + 1000 })
  t.match(await at('16/B2', '2', 3), { since: second }, 'after a promotion it is another primary')
  t.match(await at('16/B3', '2', 4), { since: second })
  said = []
  await t.rejects(position.read(), { message: 'the primary says nothing of its position' })
  t.match(await at('16/B4', '2', 5), { lsn: '16/B4', since: second }, 'a failure is not kept')
})
