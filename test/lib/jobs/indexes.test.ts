import pg from 'pg'
import t, { type Test } from 'tap'
import { INDEXES, indexJobs } from '#lib/jobs/indexes.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'

const NAMES = Object.keys(INDEXES)

const VALID = `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = 'pgboss.job_common'::regclass AND i.indisvalid AND c.relname LIKE 'groundwork%' ORDER BY name`

async function world(t: Test) {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const valid = async () => (await db.query<{ name: string }>(VALID)).map(({ name }) => name)
  const build = (signal = new AbortController().signal) => indexJobs(app.db, connectionTo(db.url), signal)
  return { db, valid, build }
}

t.test('indexes that are missing, or whose build was interrupted, are built', async (t) => {
  const { db, valid, build } = await world(t)
  const [due = '', created = ''] = NAMES
  await db.query(`DROP INDEX pgboss.${due}`)
  await db.querySuper(
    `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pgboss.${created}'::regclass`,
  )
  t.same(await valid(), [])
  await build()
  t.same(await valid(), NAMES.toSorted())
  await build()
  t.same(await valid(), NAMES.toSorted(), 'once is enough')
})

t.test('several instances build them at once', async (t) => {
  const { db, valid, build } = await world(t)
  for (const name of NAMES) await db.query(`DROP INDEX pgboss.${name}`)
  await Promise.all(Array.from({ length: 4 }, () => build()))
  // One that gave way leaves what is missing to the next start.
  await build()
  t.same(await valid(), NAMES.toSorted())
})

t.test('a start does not wait for an old transaction, and an end does not either', async (t) => {
  const { db, build } = await world(t)
  for (const name of NAMES) await db.query(`DROP INDEX pgboss.${name}`)
  const old = new pg.Client({ connectionString: db.url })
  t.teardown(() => old.end())
  await old.connect()
  await old.query('BEGIN; LOCK TABLE pgboss.job_common IN ROW EXCLUSIVE MODE')
  const leaving = new AbortController()
  const building = build(leaving.signal)
  const waits =
    "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND wait_event_type = 'Lock'"
  await eventually(async () => (await db.querySuper(waits)).length > 0)
  leaving.abort()
  await t.rejects(building, 'it is ended')
})
