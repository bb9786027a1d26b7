import pg from 'pg'
import t from 'tap'
import { types } from '#lib/database/types.ts'
import { createTestDatabase } from '#test/support/database.ts'

const TIMES = [
  '2026-01-31 08:15:30.123',
  '2026-01-31 08:15:30',
  '2026-01-31 08:15:30.1',
  '1969-12-31 23:59:59.999999',
]
const ODD = ['0044-03-15 12:00:00 BC', '12026-01-31 08:15:30']

t.test('times are RFC 3339, in UTC, with milliseconds, whatever the zone of the session', async (t) => {
  const db = await createTestDatabase(t)
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns']) {
    const options = { connectionString: db.url, options: `-c timezone=${zone}` }
    const [ours, theirs] = [new pg.Client({ ...options, types }), new pg.Client(options)]
    await Promise.all([ours.connect(), theirs.connect()])
    for (const time of [...TIMES, ...ODD]) {
      const query = {
        text: `SELECT $1::timestamptz AS time, 1 AS one`,
        values: [`${time.replace(' BC', '')}+00${time.endsWith(' BC') ? ' BC' : ''}`],
      }
      const [{ time: ourTime, one }] = (await ours.query(query)).rows
      const [{ time: theirTime }] = (await theirs.query(query)).rows
      const expected = theirTime instanceof Date ? theirTime.toISOString() : theirTime
      t.strictSame({ ourTime, one }, { ourTime: expected, one: 1 }, `${time} in ${zone}`)
    }
    await Promise.all([ours.end(), theirs.end()])
  }
})

t.test('what cannot be read is an error, and not an empty text or null', async (t) => {
  const db = await createTestDatabase(t)
  const client = new pg.Client({ connectionString: db.url, types })
  await client.connect()
  t.teardown(() => client.end())
  const unreadable = { name: 'UnreadableValue', message: /^a value of type \w+ cannot be read$/ }
  for (const value of [
    "'infinity'::timestamptz",
    "'-infinity'::timestamptz",
    "'NaN'::float8",
    "'-Infinity'::float4",
  ]) {
    await t.rejects(client.query(`SELECT ${value}`), unreadable, value)
  }
  t.match((await client.query("SELECT 0.5::float8 AS number, '\\x00ff'::bytea AS bytes")).rows, [
    { number: 0.5, bytes: Buffer.from([0, 255]) },
  ])
  await client.query('SET bytea_output = escape')
  await t.rejects(client.query("SELECT 'a'::bytea"), unreadable)
  for (const style of ['SQL', 'German', 'Postgres']) {
    await client.query(`SET DateStyle = '${style}'`)
    await t.rejects(client.query('SELECT now()'), unreadable, style)
  }
})
