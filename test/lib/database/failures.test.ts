import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { buildApp } from '#app.ts'
import type { Database } from '#lib/database/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'
import { expectUnavailable } from './expect-unavailable.ts'

const ONE = { name: 'one', text: 'SELECT 1 AS one' }
const KILL = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`
const ASLEEP = `SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = 'PgSleep'`

t.test('every connection has its limits', async (t) => {
  const { app } = await createTestApp(t, {
    APP_DATABASE__MAX_CONNECTIONS: '10',
    APP_DATABASE__STATEMENT_TIMEOUT: '7s',
    APP_DATABASE__LOCK_TIMEOUT: '2500ms',
    APP_DATABASE__IDLE_IN_TRANSACTION_TIMEOUT: '9s',
  })
  const limits = {
    name: 'limits',
    text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
                  current_setting('idle_in_transaction_session_timeout') AS idle,
                  current_setting('application_name') AS name, pg_backend_pid() AS pid
           FROM pg_sleep(0.2)`,
  }
  const expected = { statement: '7s', lock: '2500ms', idle: '9s', name: 'groundwork' }
  const pids = new Set<number>()
  // The instance's own work may have a connection, and then two of these share another.
  await eventually(async () => {
    const all = await Promise.all([
      ...Array.from({ length: 9 }, () => app.db.query<{ pid: number }>(limits)),
      app.db.query<{ pid: number }>({ ...limits, name: 'limits:pipelined', pipelined: true }),
    ])
    for (const rows of all) t.match(rows, [expected])
    for (const { pid } of all.flat()) pids.add(pid)
    return pids.size >= 10
  })
})

t.test('a slow statement and a long wait for a lock end in 503', async (t) => {
  const { app, db } = await createTestApp(t, {
    APP_DATABASE__STATEMENT_TIMEOUT: '300ms',
    APP_DATABASE__LOCK_TIMEOUT: '100ms',
  })
  const sleep = { name: 'sleep', text: 'SELECT pg_sleep(60)' }
  await expectUnavailable(t, app.db.query(sleep))
  await expectUnavailable(t, app.db.query({ ...sleep, pipelined: true }))
  await expectUnavailable(
    t,
    app.db.transaction((tx) => tx.query(sleep)),
  )

  await db.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
  const payload = { email: 'ada@example.com', password: 'correct horse' }
  const response = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'database_unavailable')
  t.equal(response.headers['retry-after'], '5')
  await db.query('ROLLBACK')
  t.match(await app.db.query(ONE), [{ one: 1 }])
})

t.test('a server that does not answer at all is given up, and its connection too', async (t) => {
  const { app } = await createTestApp(t, { APP_DATABASE__QUERY_TIMEOUT: '300ms' })
  const sleep = { name: 'sleep', text: 'SELECT pg_sleep(60)' }
  await expectUnavailable(t, app.db.query(sleep))
  await recovered(app)
  await expectUnavailable(t, app.db.query({ ...sleep, pipelined: true }))
  await recovered(app, true)
  await expectUnavailable(
    t,
    app.db.transaction((tx) => tx.query(sleep)),
  )
  await recovered(app)
})

t.test('an exhausted pool ends in 503, and recovers', async (t) => {
  const { app } = await createTestApp(t, {
    APP_DATABASE__MAX_CONNECTIONS: '2',
    APP_DATABASE__CONNECTION_TIMEOUT: '300ms',
    APP_ROLE: 'web',
  })
  await recovered(app, true)
  const release = await takeConnection(app)
  try {
    await expectUnavailable(t, app.db.query(ONE))
    await expectUnavailable(
      t,
      app.db.transaction(async () => undefined),
    )
    t.match(await app.db.query({ ...ONE, pipelined: true }), [{ one: 1 }], 'the shared one is not in the way')
  } finally {
    release()
  }
  await recovered(app)
})

/** Takes the pool's one connection, which the instance's own work may have at the moment. */
async function takeConnection(app: FastifyInstance): Promise<() => void> {
  let release: (() => void) | undefined
  await eventually(async () => {
    const client = await app.pg.pool.connect().catch(() => undefined)
    release = client && (() => client.release())
    return client !== undefined
  })
  return () => release?.()
}

/** Waits until statements and transactions are answered again: the pool may have to notice that its idle connections died too. */
async function recovered(app: FastifyInstance, pipelined = false): Promise<void> {
  await eventually(() =>
    Promise.all([app.db.query({ ...ONE, pipelined }), app.db.transaction((tx) => tx.query(ONE))]).then(
      () => true,
      () => false,
    ),
  )
}

t.test('a connection that dies', async (t) => {
  const { app, db } = await createTestApp(t)
  const cases: Record<string, (tx: Database) => Promise<unknown>> = {
    'between two statements': async (tx) => {
      await tx.query(ONE)
      await db.query(KILL)
      return tx.query(ONE)
    },
    'in a statement': (tx) => {
      const sleeping = tx.query({ name: 'sleep', text: 'SELECT pg_sleep(60)' })
      return Promise.all([sleeping, db.query(KILL)])
    },
    'before the commit': () => db.query(KILL),
    'before the rollback': async () => {
      await db.query(KILL)
      throw new Error('why it is rolled back')
    },
  }
  for (const [name, work] of Object.entries(cases)) {
    const started = app.db.transaction(async (tx) => {
      await tx.query({ name: 'insert', text: 'SELECT count(*) FROM users' })
      return work(tx)
    })
    await expectUnavailable(t, started, name)
    await recovered(app)
  }
  for (let round = 0; round < 5; round++) {
    const sleeping = expectUnavailable(t, app.db.query({ name: 'sleep', text: 'SELECT pg_sleep(60)' }))
    // It may need a connection that is still being made, which nobody could end.
    await eventually(async () => (await db.query(ASLEEP)).length > 0)
    await Promise.all([sleeping, db.query(KILL)])
    await recovered(app)
  }
})

t.test('no server, no database, no such user: 503, and nothing of the address in it', async (t) => {
  const { db } = await createTestApp(t)
  const change = (edit: (url: URL) => void) => {
    const url = new URL(db.url)
    edit(url)
    return url.href
  }
  const urls = [
    'postgres://nobody:planted-secret@127.0.0.1:1/none',
    'postgres://nobody:planted-secret@does-not-exist.invalid/none',
    change((url) => {
      url.pathname = 'no_such_database'
    }),
    change((url) => {
      url.username = 'no_such_user'
      url.password = 'planted-secret'
    }),
  ]
  for (const url of urls) {
    const app = await buildApp(testConfig(url, { APP_LOG__LEVEL: 'silent' }))
    t.teardown(() => app.close())
    const payload = { email: 'ada@example.com', password: 'correct horse' }
    const response = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload })
    t.equal(response.statusCode, 503, url)
    t.equal(response.json().code, 'database_unavailable')
    t.notMatch(response.body, /planted-secret|nobody|no_such|127\.0\.0\.1|invalid/)
    await expectUnavailable(t, app.db.query(ONE))
    await expectUnavailable(
      t,
      app.db.transaction(async () => undefined),
    )
  }
})
