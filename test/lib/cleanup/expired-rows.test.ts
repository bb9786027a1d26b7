import pg from 'pg'
import t from 'tap'
import { deleteAllExpired, Expiry } from '#lib/cleanup/expired-rows.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

const TABLES = `
  CREATE TABLE things (a int, b int, expired boolean, PRIMARY KEY (a, b));
  CREATE TABLE notes (id int PRIMARY KEY);
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE notes FORCE ROW LEVEL SECURITY;
  CREATE POLICY system ON notes USING (current_setting('app.scope', true) = 'system')`

t.test('expired rows are deleted in batches, but for those in use', async (t) => {
  const { url, query } = await createEmptyDatabase(t)
  await query(TABLES)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const told: string[] = []
  const db = new PoolDatabase(pool, {
    queried: (name) => told.push(name),
    waited: () => undefined,
    repeated: () => undefined,
    cancelled: () => undefined,
  })
  t.teardown(() => pool.end())
  const { signal } = new AbortController()
  const things = new Expiry({ table: 'things', key: 'a, b', condition: 'expired' })
  const left = async () => (await query('SELECT a FROM things ORDER BY a')).map((row) => row['a'])
  t.equal(things.ofTenants, false)

  await query('INSERT INTO things SELECT n, 0, n <= 2500 FROM generate_series(1, 2502) n')
  await query('BEGIN')
  await query('SELECT FROM things WHERE a = 1 FOR UPDATE')
  t.equal(await deleteAllExpired(db, things, signal), 2499)
  await query('ROLLBACK')
  t.same(await left(), [1, 2501, 2502])
  t.same(told.splice(0), Array(3).fill('deleteOutdated_things'))
  t.equal(await deleteAllExpired(db, things, signal), 1)
  t.equal(await deleteAllExpired(db, things, signal), 0)
  t.equal(told.splice(0).length, 2)

  await query('INSERT INTO things SELECT n, 1, true FROM generate_series(1, 1000) n')
  t.equal(await deleteAllExpired(db, things, signal), 1000)
  t.equal(told.length, 2, 'after a full batch there may be more')

  await query('UPDATE things SET expired = true')
  const why = new Error('the process ends')
  await t.rejects(deleteAllExpired(db, things, AbortSignal.abort(why)), why)
  t.same(await left(), [2501, 2502])

  await query("SET app.scope = 'system'")
  await query('INSERT INTO notes VALUES (1)')
  const hidden = new Expiry({ table: 'notes', key: 'id', condition: 'true' })
  t.equal(await deleteAllExpired(db, hidden, signal), 0, 'rows of organizations are hidden')
  const notes = new Expiry({ table: 'notes', key: 'id', condition: 'true', ofTenants: true })
  t.equal(await deleteAllExpired(db, notes, signal), 1)
})
