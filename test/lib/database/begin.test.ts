import { Socket } from 'node:net'
import pg from 'pg'
import t from 'tap'
import type { Database } from '#lib/database/database.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { createTestDatabase } from '#test/support/database.ts'

const OBSERVER = { queried() {}, waited() {}, repeated() {}, cancelled() {} }

const insert = (value: number) => ({
  name: 'insertNumber',
  text: 'INSERT INTO numbers (value) VALUES ($1)',
  values: [value],
})

/** Has PostgreSQL refuse the next BEGIN, and nothing else, as a cancellation or a lack of memory can. */
class RefusingSocket extends Socket {
  /** BEGIN, or the name that it is prepared by. */
  static next: 'BEGIN' | 'begin' | undefined

  override _writev(...[chunks, done]: Parameters<NonNullable<Socket['_writev']>>): void {
    for (const { chunk } of chunks) {
      const { next } = RefusingSocket
      const at = next !== undefined && Buffer.isBuffer(chunk) ? chunk.indexOf(next) : -1
      if (at === -1) continue
      RefusingSocket.next = undefined
      chunk.write('BEGUN', at)
    }
    super._writev?.(chunks, done)
  }
}

t.test('where BEGIN fails', async (t) => {
  const { url, query } = await createTestDatabase(t)
  await query('CREATE TABLE numbers (value int)')
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    pipeline: true,
    stream: () => new RefusingSocket(),
  })
  pool.on('error', () => undefined)
  t.teardown(() => pool.end())
  const db = new PoolDatabase(pool, OBSERVER)
  const numbers = async () =>
    (await query<{ value: number }>('SELECT value FROM numbers')).map((row) => row.value)
  const pid = () => db.query({ name: 'pid', text: 'SELECT pg_backend_pid() AS pid' })
  const works: Record<string, (tx: Database) => Promise<unknown>> = {
    'the first statement': (tx) => tx.query(insert(1)),
    'statements that go together': (tx) => Promise.all([tx.query(insert(1)), tx.query(insert(2))]),
    'statements after an error that nobody heard': async (tx) => {
      await tx.query(insert(1)).catch(() => undefined)
      await tx.query(insert(2))
    },
    'an end after an error that nobody heard': (tx) => tx.query(insert(1)).catch(() => undefined),
  }
  for (const next of ['BEGIN', 'begin'] as const) {
    for (const [name, work] of Object.entries(works)) {
      if (next === 'begin') await db.transaction((tx) => tx.query({ name: 'one', text: 'SELECT 1' }))
      const before = await pid()
      RefusingSocket.next = next
      const expected = next === 'BEGIN' ? { code: '42601' } : DatabaseUnavailable
      await t.rejects(db.transaction(work), expected, `${next}: ${name}`)
      t.equal(RefusingSocket.next, undefined, 'it was refused')
      t.same(await numbers(), [], 'nothing is done')
      t.notSame(await pid(), before, 'the connection is given up')
    }
  }
  await db.transaction((tx) => tx.query(insert(3)))
  t.same(await numbers(), [3], 'the next one is fine')
})

t.test('a first statement that fails leaves its connection usable, prepared or not', async (t) => {
  const { url, query } = await createTestDatabase(t)
  await query('CREATE TABLE numbers (value int CHECK (value > 0))')
  const pool = new pg.Pool({ connectionString: url, max: 1, pipeline: true })
  t.teardown(() => pool.end())
  const db = new PoolDatabase(pool, OBSERVER)
  const pid = () => db.query({ name: 'pid', text: 'SELECT pg_backend_pid() AS pid' })
  const before = await pid()
  for (const prepare of [true, false]) {
    for (const value of [-1, 1, -1, 1]) {
      const work = db.transaction((tx) => tx.query({ ...insert(value), prepare }))
      await (value > 0 ? work : t.rejects(work, { code: '23514' }))
    }
    // Refused before it is prepared, so that it must not count as prepared.
    const unknown = { name: 'unknown', text: 'SELECT later()', prepare }
    await t.rejects(
      db.transaction((tx) => tx.query(unknown)),
      { code: '42883' },
    )
  }
  await query('CREATE FUNCTION later() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$')
  await db.transaction((tx) => tx.query({ name: 'unknown', text: 'SELECT later()' }))
  t.equal((await query('SELECT FROM numbers')).length, 4)
  t.same(await pid(), before)
})
