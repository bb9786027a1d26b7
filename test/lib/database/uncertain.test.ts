import { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Caller } from '#lib/database/caller.ts'
import type { Database } from '#lib/database/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const PID = { name: 'pid', text: 'SELECT pg_backend_pid() AS pid' }
/** One connection for each use, so that the next statement would get the same one again. */
const ONE_CONNECTION = { APP_DATABASE__MAX_CONNECTIONS: '2', APP_ROLE: 'web', APP_AUTH__CACHE: 'false' }

async function pidOf(db: Database, pipelined = false): Promise<unknown> {
  return (await db.query({ ...PID, pipelined }))[0]
}

/** Does something that the instance's heartbeat, which uses the same connections, has not come between. */
async function undisturbed<T>(app: FastifyInstance, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = await heartbeats(app)
    const result = await work()
    if ((await heartbeats(app)) === before) return result
  }
}

async function heartbeats(app: FastifyInstance): Promise<number> {
  const line = /^db_query_duration_seconds_count\{statement="recordInstance"\} (\d+)/m
  return Number(line.exec(await app.metrics.metrics())?.[1])
}

t.test('a server that only reads is not there, and its connection is given up', async (t) => {
  const { app, db } = await createTestApp(t, ONE_CONNECTION)
  await db.query('CREATE TABLE notes (text text)')
  const write = { name: 'write', text: "INSERT INTO notes VALUES ('a')" }
  const uses: Record<string, () => Promise<unknown>> = {
    'a statement': () => app.db.query(write),
    'a transaction': () => app.db.transaction((tx) => tx.query(write)),
    'the pipeline': () => app.db.query({ ...write, pipelined: true }),
  }
  for (const [name, use] of Object.entries(uses)) {
    const pipelined = name === 'the pipeline'
    const { before, error, after } = await undisturbed(app, async () => {
      const before = await pidOf(app.db, pipelined)
      // What this very session thinks of itself, as it does on a server that has become a standby.
      await app.db.query({ name: 'read only', text: 'SET default_transaction_read_only = on', pipelined })
      const error = await use().catch((thrown: unknown) => thrown)
      return { before, error, after: await pidOf(app.db, pipelined) }
    })
    t.match(error, { definition: { code: 'database_unavailable', status: 503 } }, name)
    t.notSame(after, before, name)
    await use()
  }
})

t.test('a transaction whose end is not what was asked for', async (t) => {
  t.test(
    'a statement that failed unheard turns COMMIT into ROLLBACK: an error, and nothing is kept',
    async (t) => {
      const { app, db } = await createTestApp(t, ONE_CONNECTION)
      await db.query('CREATE TABLE notes (text text)')
      const work = app.db.transaction(async (tx) => {
        await tx.query({ name: 'write', text: "INSERT INTO notes VALUES ('a')" })
        await tx.query({ name: 'bad', text: 'SELECT 1 / 0' }).catch(() => undefined)
      })
      await t.rejects(work, { message: 'COMMIT became ROLLBACK' })
      t.strictSame(await db.query('SELECT FROM notes'), [])
      t.match(await app.db.query(PID), [{ pid: Number }])
    },
  )

  t.test('a COMMIT that fails: the connection is given up', async (t) => {
    const { app, db } = await createTestApp(t, ONE_CONNECTION)
    await db.query('CREATE TABLE a (id integer PRIMARY KEY)')
    await db.query('CREATE TABLE b (id integer REFERENCES a DEFERRABLE INITIALLY DEFERRED)')
    let pid: unknown
    const work = app.db.transaction(async (tx) => {
      pid = await pidOf(tx)
      await tx.query({ name: 'write', text: 'INSERT INTO b VALUES (1)' })
    })
    await t.rejects(work, { code: '23503' })
    t.notSame(await pidOf(app.db), pid)
  })
})

t.test('a caller who leaves while a statement runs', async (t) => {
  const { app, db } = await createTestApp(t, ONE_CONNECTION)
  const caller = createCaller()
  const slow = app.db.forCaller(caller).query({ name: 'slow', text: 'SELECT pg_sleep(600)' })
  await sleeping(t, db.query)
  caller.leave()
  await expectUnavailable(t, slow)
  t.match(await app.db.query(PID), [{ pid: Number }], 'others go on')
})

function createCaller(): Caller & { leave(): void } {
  const events = new EventEmitter()
  let isGone = false
  return {
    isGone: () => isGone,
    onGone(listener) {
      events.once('gone', listener)
      return () => events.off('gone', listener)
    },
    leave() {
      isGone = true
      events.emit('gone')
    },
  }
}

async function sleeping(t: Test, query: (text: string) => Promise<unknown[]>): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`
  await eventually(async () => (await query(text)).length > 0)
  t.pass('it runs')
}
