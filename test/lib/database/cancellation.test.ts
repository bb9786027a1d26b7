import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Caller } from '#lib/database/caller.ts'
import { cancelStatement } from '#lib/database/cancel-statement.ts'
import { Watch } from '#lib/database/watch.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'
import { expectUnavailable } from './expect-unavailable.ts'

/** Longer than any test, and than the limits of the statement, waits for. */
const SLEEP = { name: 'sleep', text: 'SELECT pg_sleep(600)' }
const ONE = { name: 'one', text: 'SELECT 1 AS one' }
const PATIENT = {
  APP_DATABASE__STATEMENT_TIMEOUT: '590s',
  APP_DATABASE__QUERY_TIMEOUT: '595s',
  APP_DATABASE__LOCK_TIMEOUT: '590s',
}
/** The lock for which a statement waits that is to end when the test says so. */
const GATE = 7

/** A caller whom the test lets leave. */
function createCaller(): Caller & { leave(): void; listeners(): number } {
  const events = new EventEmitter()
  let gone = false
  return {
    isGone: () => gone,
    onGone(listener) {
      events.once('gone', listener)
      return () => events.off('gone', listener)
    },
    leave() {
      gone = true
      events.emit('gone')
    },
    listeners: () => events.listenerCount('gone'),
  }
}

interface Backend {
  pid: number
}

function sleepers(db: TestDatabase): Promise<Backend[]> {
  return db.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
  )
}

async function sleeping(db: TestDatabase, count: number): Promise<void> {
  await eventually(async () => (await sleepers(db)).length === count)
}

async function cancellations(app: Awaited<ReturnType<typeof startInstance>>): Promise<number> {
  return Number(/^db_cancellations_total (\d+)/m.exec(await app.metrics.metrics())?.[1])
}

async function setUp(t: Test, env: Record<string, string> = {}) {
  const { app, db } = await createTestApp(t, { ...PATIENT, APP_DATABASE__MAX_CONNECTIONS: '2', ...env })
  await db.query('CREATE TABLE notes (text text)')
  const note = (text: string) => ({ name: 'note', text: 'INSERT INTO notes VALUES ($1)', values: [text] })
  return { app, db, note, notes: () => db.query<{ text: string }>('SELECT text FROM notes') }
}

t.test('a statement ends when its caller leaves, and its connection serves on', async (t) => {
  const { app, db } = await setUp(t)
  const pid = { name: 'pid', text: 'SELECT pg_backend_pid() AS pid' }
  const caller = createCaller()
  const asked = app.db.forCaller(caller).query(SLEEP)
  await sleeping(db, 1)
  const [slept] = await sleepers(db)
  caller.leave()
  await expectUnavailable(t, asked)
  await sleeping(db, 0)
  // Two at once, for the pool may have another connection, which it takes first.
  await eventually(async () => {
    const rows = await Promise.all([app.db.query<Backend>(pid), app.db.query<Backend>(pid)])
    return rows.flat().some((row) => row.pid === slept?.pid)
  })
  t.equal(await cancellations(app), 1)
  t.equal(caller.listeners(), 0)
})

t.test('a transaction is undone, at the statement or between two', async (t) => {
  const { app, db, note, notes } = await setUp(t)
  const inStatement = createCaller()
  const asked = app.db.forCaller(inStatement).transaction(async (tx) => {
    await tx.query(note('half done'))
    await tx.transaction((inner) => inner.query(SLEEP))
  })
  await sleeping(db, 1)
  inStatement.leave()
  await expectUnavailable(t, asked)

  const atFirst = createCaller()
  const first = app.db.forCaller(atFirst).transaction((tx) => tx.query(SLEEP))
  await sleeping(db, 1)
  atFirst.leave()
  // PostgreSQL has not sent its answer to BEGIN, which goes along.
  await expectUnavailable(t, first)
  await sleeping(db, 0)

  const early = createCaller()
  const begun = app.db.forCaller(early).transaction(async (tx) => {
    const asked = tx.query({ name: 'sleepyNote', text: 'INSERT INTO notes SELECT pg_sleep(20)::text' })
    // Before BEGIN is answered.
    early.leave()
    await asked
  })
  await expectUnavailable(t, begun)

  const between = createCaller()
  const next = app.db.forCaller(between).transaction(async (tx) => {
    await tx.query(note('half done'))
    between.leave()
    await tx.query(note('the other half'))
  })
  await expectUnavailable(t, next)

  const last = createCaller()
  const done = app.db.forCaller(last).transaction(async (tx) => {
    await tx.query(note('all but committed'))
    last.leave()
  })
  await expectUnavailable(t, done)
  t.same(await notes(), [])
  t.equal(await cancellations(app), 3, 'where nothing ran, nothing was cancelled')
  // All but the pipeline's.
  await eventually(async () => app.pg.pool.totalCount - app.pg.pool.idleCount === 1)
})

t.test('a request to cancel that comes before its statement is repeated', async (t) => {
  const db = await createTestDatabase(t)
  const client = new pg.Client(db.url)
  await client.connect()
  t.teardown(() => client.end())
  const caller = createCaller()
  const watch = new Watch(client, caller, () => undefined)
  const asked = watch.run(async () => {
    caller.leave()
    // The server has dropped one, and so the other, when this is through.
    await cancelStatement(client)
    return client.query(SLEEP)
  })
  await t.rejects(asked, { code: '57014' })
  t.notOk(watch.isUncertain)
  t.match((await client.query(ONE)).rows, [{ one: 1 }], 'none comes later')
})

t.test('a commit is left to finish', async (t) => {
  const { app, db, note, notes } = await setUp(t)
  await db.query(`CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(${GATE}); RETURN NULL; END'`)
  await db.query(`CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slowly()`)
  const caller = createCaller()
  const gate = await holdTransaction(t, db, 'SELECT pg_advisory_xact_lock($1)', [GATE])
  const asked = app.db.forCaller(caller).transaction((tx) => tx.query(note('done')))
  await waiting(db, 1)
  caller.leave()
  await gate.commit()
  await asked
  t.same(await notes(), [{ text: 'done' }])
  t.equal(await cancellations(app), 0)
})

t.test('what is begun after the caller has left, to tidy up, is done', async (t) => {
  const { app, note, notes } = await setUp(t)
  const caller = createCaller()
  caller.leave()
  const db = app.db.forCaller(caller)
  await db.query(note('one'))
  await db.transaction((tx) => tx.query(note('two')))
  t.same(await notes(), [{ text: 'one' }, { text: 'two' }])
})

t.test('who leaves while waiting for a connection gets none', async (t) => {
  const { app, note, notes } = await setUp(t)
  // One for the pipeline, one for the transaction.
  await app.db.query({ ...ONE, pipelined: true })
  const caller = createCaller()
  const { waiting } = await app.db.transaction(async () => {
    const waiting = app.db.forCaller(caller).query(note('too late'))
    waiting.catch(() => undefined)
    await eventually(async () => app.pg.pool.waitingCount >= 1)
    caller.leave()
    // In an object, so that it is not awaited before the connection is free.
    return { waiting }
  })
  await expectUnavailable(t, waiting)
  t.match(await app.db.query(ONE), [{ one: 1 }])
  t.same(await notes(), [])
})

t.test('what all share is not cancelled for one', async (t) => {
  const { app, db } = await setUp(t)
  const caller = createCaller()
  const gate = await holdTransaction(t, db, 'SELECT pg_advisory_xact_lock($1)', [GATE])
  const text = `SELECT pg_advisory_xact_lock(${GATE}) IS NOT NULL AS woke`
  const asked = app.db.forCaller(caller).query({ name: 'nap', text, pipelined: true })
  await waiting(db, 1)
  caller.leave()
  await gate.commit()
  t.match(await asked, [{ woke: true }])
})

t.test('when the request to cancel gets no answer, the connection is not used again', async (t) => {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url)
  const app = await startInstance(t, { url: proxy.url }, { ...PATIENT, APP_ROLE: 'web' })
  const caller = createCaller()
  const asked = app.db.forCaller(caller).query(SLEEP)
  await sleeping(db, 1)
  const [before] = await sleepers(db)
  proxy.hangNew()
  caller.leave()
  await db.query('SELECT pg_cancel_backend($1)', [before?.pid])
  await expectUnavailable(t, asked)
  await proxy.restore()
  await eventually(async () => {
    const rows = await db.query('SELECT FROM pg_stat_activity WHERE pid = $1', [before?.pid])
    return rows.length === 0
  })
})

t.test('a server that is gone can be asked in vain', async (t) => {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url)
  const client = new pg.Client(proxy.url)
  client.on('error', () => undefined)
  await client.connect()
  t.equal(await cancelStatement(client), true, 'nothing runs')
  t.match(await client.query('SELECT 1 AS one'), { rows: [{ one: 1 }] }, 'so nothing is cancelled')
  await proxy.cut()
  t.equal(await cancelStatement(client), false)
  t.equal(await cancelStatement(new pg.Client(proxy.url)), false, 'nor one that was never asked anything')
})

t.test('a request to cancel over a Unix socket', async (t) => {
  const db = await createTestDatabase(t)
  const { hostname, port, username, password, pathname } = new URL(db.url)
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-socket-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname)
    socket.pipe(upstream).pipe(socket)
  })
  server.listen(join(directory, '.s.PGSQL.5432'))
  await once(server, 'listening')
  t.teardown(() => server.close())
  const where = { host: directory, port: 5432, database: pathname.slice(1) }
  const client = new pg.Client({ ...where, user: username, password })
  await client.connect()
  t.teardown(() => client.end())
  const asked = t.rejects(client.query(SLEEP.text), { code: '57014' })
  await sleeping(db, 1)
  t.equal(await cancelStatement(client), true)
  await asked
})

t.test('for a caller who has left, nothing is retried', async (t) => {
  const { app, db } = await setUp(t)
  await db.query('CREATE SEQUENCE tries')
  await db.query(`CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'planted' USING ERRCODE = '40001'; END $$`)
  const caller = createCaller()
  const asked = app.db.forCaller(caller).transaction(async (tx) => {
    await tx.query({ name: 'fail', text: 'SELECT fail()' }).finally(caller.leave)
  })
  await expectUnavailable(t, asked)
  t.match(await db.query('SELECT last_value::int AS tries FROM tries'), [{ tries: 1 }])
})
