import t from 'tap'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'

t.test('a test database has the migrations applied and no rows', async (t) => {
  const [one, two] = await Promise.all([createTestDatabase(t), createTestDatabase(t)])
  t.not(one.name, two.name)
  t.match(await one.query('SELECT count(*)::int AS count FROM users'), [{ count: 0 }])
  t.match(await two.query('SELECT current_database() AS name'), [{ name: two.name }])
  const applied = await two.query('SELECT FROM schemaversion WHERE version >= $1', [1])
  t.ok(applied.length >= 1)
})

t.test('an empty database has nothing in it', async (t) => {
  const { query } = await createEmptyDatabase(t)
  t.same(await query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), [])
})

t.test('a database is dropped when its test ends, even with open connections', async (t) => {
  let dropped = ''
  await t.test('uses one', async (t) => {
    const database = await createEmptyDatabase(t)
    dropped = database.name
  })
  const { query } = await createEmptyDatabase(t)
  t.same(await query('SELECT datname FROM pg_database WHERE datname = $1', [dropped]), [])
})
