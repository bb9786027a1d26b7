import pg from 'pg'
import t, { type Test } from 'tap'
import type { JsonRow } from '#lib/database/json-query.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { Session } from '#lib/database/session.ts'
import { types } from '#lib/database/types.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

const OBSERVER = {
  queried: () => undefined,
  waited: () => undefined,
  repeated: () => undefined,
  cancelled: () => undefined,
}

/** One expression for each way that a value is written. */
const VALUES = {
  uuid: "'018bcfe5-6800-7000-8000-00000000000a'::uuid",
  plain: "'ada@example.com'::text",
  empty: "''::text",
  quotes: `'say "hi" \\ twice'::text`,
  controls: "E'tab\\tline\\nbell\\x07'::text",
  letters: "'Ünïcödé 漢字 😀'::text",
  separators: "U&'\\2028\\2029'::text",
  varchar: "'short'::varchar(10)",
  long: "repeat('a\"', 60000)",
  yes: 'true',
  no: 'false',
  nothing: 'NULL::text',
  small: '(-32768)::int2',
  whole: '2147483647::int4',
  big: '9007199254740993::int8',
  float: '0.5::float8',
  seconds: "'2026-01-31 08:15:30+00'::timestamptz",
  tenth: "'2026-01-31 08:15:30.1+00'::timestamptz",
  millis: "'2026-01-31 08:15:30.123+00'::timestamptz",
  micros: "'1969-12-31 23:59:59.999999+00'::timestamptz",
  before_christ: "'0044-03-15 12:00:00+00 BC'::timestamptz",
  far: "'12026-01-31 08:15:30+00'::timestamptz",
  document: `'{"a": [1, null]}'::jsonb`,
  list: "ARRAY['a', 'b\"c']",
}
const NAMES = Object.keys(VALUES)
const SELECT = `SELECT ${Object.entries(VALUES)
  .map(([name, value]) => `${value} AS ${name}`)
  .join(', ')}`

async function open(t: Test) {
  const { url } = await createEmptyDatabase(t)
  const Client = class extends Session {
    constructor() {
      super(connectionTo(url), { pipeline: true, types })
    }
  }
  const pool = new pg.Pool({ Client, max: 2 })
  const db = new PoolDatabase(pool, OBSERVER)
  t.teardown(async () => {
    await db.close()
    await pool.end()
  })
  return db
}

t.test('rows as JSON are what JSON.stringify makes of the driver rows', async (t) => {
  const db = await open(t)
  const [row] = await db.query({ name: 'objects', text: SELECT })
  for (const attempt of [1, 2]) {
    const [text] = await db.query<JsonRow>({ name: 'texts', text: SELECT, json: NAMES })
    t.equal(text?.json, JSON.stringify(row), `attempt ${attempt}`)
  }
  await db.transaction(async (tx) => {
    const [text] = await tx.query<JsonRow>({ name: 'texts', text: SELECT, json: NAMES })
    t.equal(text?.json, JSON.stringify(row), 'as the first statement of a transaction')
  })
})

t.test('many rows come whole, however the wire cuts them', async (t) => {
  const db = await open(t)
  const text = `SELECT n AS id, repeat('ü', n % 700) AS text FROM generate_series(1, 3000) AS n`
  const rows = await db.query<JsonRow>({ name: 'many', text, json: ['id', 'text'] })
  const objects = await db.query({ name: 'manyObjects', text })
  t.equal(`[${rows.map(({ json }) => json).join()}]`, JSON.stringify(objects))
})

t.test('a column that is not to be shown fails the statement, and the connection goes on', async (t) => {
  const db = await open(t)
  const text = `SELECT 1 AS id, 'secret' AS password_hash`
  const statement = { name: 'leak', text, json: ['id'] }
  await t.rejects(db.query(statement), /column password_hash is not to be shown/)
  t.same(await db.query({ name: 'one', text: 'SELECT 1 AS one' }), [{ one: 1 }])
})

t.test('what cannot be read fails the statement, and the connection goes on', async (t) => {
  const db = await open(t)
  const text = "SELECT 'infinity'::timestamptz AS at UNION ALL SELECT now()"
  await t.rejects(db.query({ name: 'infinity', text, json: ['at'] }), { name: 'UnreadableValue' })
  t.same(await db.query({ name: 'one', text: 'SELECT 1 AS one' }), [{ one: 1 }])
  const broken = { name: 'broken', text: 'SELECT 1 / (n - 2) AS x FROM generate_series(1, 3) n', json: ['x'] }
  await t.rejects(db.query(broken), 'an error after a row')
  t.same(await db.query({ name: 'one', text: 'SELECT 1 AS one' }), [{ one: 1 }])
})

t.test('rows as JSON have the scope of their database', async (t) => {
  const org = '018bcfe5-6800-7000-8000-00000000000a'
  const db = new OrgDatabase(await open(t), org)
  const text = "SELECT current_setting('app.org_id', true) AS org"
  t.same(await db.query<JsonRow>({ name: 'scoped', text, json: ['org'] }), [{ json: `{"org":"${org}"}` }])
})
