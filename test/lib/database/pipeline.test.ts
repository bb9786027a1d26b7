import { Socket } from 'node:net'
import pg from 'pg'
import t from 'tap'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { Pipeline } from '#lib/database/pipeline.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const pipelined = (value: number) => ({
  name: 'echo',
  text: 'SELECT $1::int AS value, pg_backend_pid() AS pid',
  values: [value],
  pipelined: true,
})
const KILL = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`

/** Knows how often several messages were written to it at once. */
class CountingSocket extends Socket {
  writes = 0

  override _writev(...args: Parameters<NonNullable<Socket['_writev']>>): void {
    this.writes++
    super._writev?.(...args)
  }
}

t.test('what is asked in one turn of the event loop is written at once', async (t) => {
  const { url } = await createTestDatabase(t)
  const socket = new CountingSocket()
  const pool = new pg.Pool({ connectionString: url, max: 1, pipeline: true, stream: () => socket })
  // Its end does not wait for the connection's, which may see the database dropped.
  pool.on('error', () => undefined)
  const pipeline = new Pipeline(pool)
  const ask = async (value: number) => {
    const { rows } = await pipeline.query<{ value: number }>({
      name: 'echo',
      text: 'SELECT $1::int AS value',
      values: [value],
    })
    return rows[0]?.value
  }
  t.equal(await ask(0), 0)
  const numbers = Array.from({ length: 50 }, (_, index) => index)
  for (let turn = 1; turn <= 2; turn++) {
    const before = socket.writes
    t.same(await Promise.all(numbers.map(ask)), numbers)
    t.equal(socket.writes - before, 1)
  }
  await pipeline.close()
  await pool.end()
})

t.test('of many at once each gets its own answer, over one connection', async (t) => {
  const { app } = await createTestApp(t)
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      app.db.query<{ value: number; pid: number }>(pipelined(index)),
    ),
  )
  t.same(
    answers.map((rows) => rows.map((row) => row.value)),
    answers.map((_, index) => [index]),
  )
  t.equal(new Set(answers.flat().map((row) => row.pid)).size, 1)
})

t.test('one that fails does no harm to the others', async (t) => {
  const { app } = await createTestApp(t)
  const bad = { name: 'divide', text: 'SELECT 1 / $1::int AS value', pipelined: true }
  const results = await Promise.allSettled(
    Array.from({ length: 300 }, (_, index) => {
      if (index % 30 === 7) return app.db.query({ ...bad, values: [0] })
      if (index % 30 === 8) return app.db.query({ name: `bad:${index}`, text: 'SELEC', pipelined: true })
      return app.db.query<{ value: number }>(pipelined(index))
    }),
  )
  for (const [index, result] of results.entries()) {
    if (index % 30 === 7) t.match(result, { reason: { definition: { code: 'value_not_storable' } } })
    else if (index % 30 === 8) t.match(result, { reason: { code: '42601' } })
    else t.match(result, { value: [{ value: index }] })
  }
})

t.test('when its connection dies, those under way fail and the next takes a new one', async (t) => {
  const { app, db } = await createTestApp(t)
  const pidOf = async () => (await app.db.query<{ pid: number }>(pipelined(1)))[0]?.pid
  const before = await pidOf()

  const slow = { name: 'sleep', text: 'SELECT pg_sleep(60)', pipelined: true }
  const underWay = [app.db.query(slow), app.db.query(pipelined(2)), app.db.query(pipelined(3))]
  const results = Promise.allSettled(underWay)
  await app.db.query({ name: 'meanwhile', text: 'SELECT 1' })
  await db.query(KILL)
  for (const result of await results) {
    t.equal(result.status, 'rejected')
    if (result.status === 'rejected') t.ok(result.reason instanceof DatabaseUnavailable)
  }
  const after = await pidOf()
  t.type(after, 'number')
  t.not(after, before)
})

t.test('when its connection dies idle, nothing crashes and the next takes a new one', async (t) => {
  // Workers would use the pool too.
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  for (let round = 0; round < 5; round++) {
    t.match(await app.db.query(pipelined(round)), [{ value: round }])
    await db.query(KILL)
    // What is not idle is the pipeline's, or the instance's own work for a moment.
    await eventually(async () => app.pg.pool.totalCount === app.pg.pool.idleCount)
  }
  t.match(await app.db.query(pipelined(9)), [{ value: 9 }])
  // The pool notices the others' end in its own time.
  await eventually(async () => app.pg.pool.totalCount <= 2)
  t.pass('no connection is left behind')
})

t.test('a prepared statement that no longer fits is prepared again', async (t) => {
  // One connection for the pipeline and one for the rest, so that each statement comes to where it was prepared.
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web', APP_DATABASE__MAX_CONNECTIONS: '2' })
  await db.query('CREATE TABLE things (value int); INSERT INTO things VALUES (1)')
  for (const pipelined of [true, false]) {
    const read = { name: `things:${pipelined}`, text: 'SELECT value FROM things', pipelined }
    t.match(await app.db.query(read), [{ value: 1 }])
    await db.query('ALTER TABLE things ALTER COLUMN value TYPE text USING value::text')
    await expectUnavailable(t, app.db.query(read))
    t.match(await app.db.query(read), [{ value: '1' }])
    await db.query('ALTER TABLE things ALTER COLUMN value TYPE int USING value::int')
  }
})

t.test('closing waits for those in progress, and a connection that dies then causes no error', async (t) => {
  const { app, db } = await createTestApp(t)
  const underWay = Promise.all(Array.from({ length: 100 }, (_, index) => app.db.query(pipelined(index))))
  await Promise.all([underWay, app.close()])
  t.equal((await underWay).length, 100)
  await db.query(KILL)
  await expectUnavailable(t, app.db.query(pipelined(1)))
  t.equal(app.pg.pool.totalCount, 0)
})
