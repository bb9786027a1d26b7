import t from 'tap'
import { ValueNotStorable } from '#lib/database/errors.ts'
import { run } from '#lib/database/run.ts'
import { dropSchema, selectUsedSchemas } from '#lib/database/schemas.ts'
import { Session } from '#lib/database/session.ts'
import { asDatabase, withSystemSession } from '#lib/database/session-database.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

const OBSERVER = { queried() {}, waited() {}, repeated() {}, cancelled() {} }
const copy = (text: string, onCopied: (bytes: Buffer) => void) => ({
  name: 'copyNumbers',
  text: `COPY (${text}) TO STDOUT`,
  onCopied,
})

t.test('a database that commands use by a session of their own', async (t) => {
  const db = await createEmptyDatabase(t)
  const client = new Session(connectionTo(db.url))
  await client.connect()
  t.teardown(() => client.end())
  const one = async () => t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }])

  await t.test('a copy hands over each row, and a failure ends it without the connection', async (t) => {
    const rows: string[] = []
    const numbers = copy('SELECT n FROM generate_series(1, 3) n', (bytes) => rows.push(bytes.toString()))
    t.same(await run(client, numbers, OBSERVER), [])
    t.same(rows, ['1\n', '2\n', '3\n'])
    let calls = 0
    const failing = copy('SELECT n FROM generate_series(1, 3) n', () => {
      calls++
      throw new Error('the disk is full')
    })
    await t.rejects(run(client, failing, OBSERVER), { message: 'the disk is full' })
    t.equal(calls, 1, 'the rest is dropped')
    await one()
    const broken = copy('SELECT 1 / (n - 2) FROM generate_series(1, 3) n', () => undefined)
    await t.rejects(run(client, broken, OBSERVER), ValueNotStorable)
    await one()
  })

  await t.test('a copy must not be a transaction’s first, nor set its scope', async (t) => {
    const numbers = copy('SELECT 1', () => t.fail())
    const refused = { message: "copyNumbers must not be a transaction's first" }
    for (const statement of [numbers, { ...numbers, scope: { org: 'o' } }]) {
      const begins = statement === numbers ? { onBegin: () => undefined } : {}
      await t.rejects(run(client, statement, OBSERVER, begins), refused)
    }
    await one()
  })

  await t.test('the schemas in which there is anything, and what empties them', async (t) => {
    const ask = () => selectUsedSchemas(client)
    t.same(await ask(), [], 'public is empty')
    for (const [made, dropped] of [
      ['TABLE public.things ()', 'TABLE public.things'],
      ['FUNCTION public.f() RETURNS int LANGUAGE sql RETURN 1', 'FUNCTION public.f'],
      ["TYPE public.kind AS ENUM ('a')", 'TYPE public.kind'],
    ]) {
      await db.query(`CREATE ${made}`)
      t.same(await ask(), ['public'], `${made}`)
      await db.query(`DROP ${dropped}`)
    }
    await db.query('CREATE SCHEMA "b ""x"""')
    await db.query('CREATE SCHEMA a CREATE TABLE things ()')
    await db.query('CREATE TABLE public.things ()')
    t.same(await ask(), ['a', 'b "x"', 'public'])
    for (const name of await ask()) await db.querySuper(dropSchema(name))
    t.same(await ask(), [])
    const [publicSchema] = await db.query(
      `SELECT pg_get_userbyid(nspowner) AS owner, has_schema_privilege('public', oid, 'USAGE') AS usable,
         has_schema_privilege('public', oid, 'CREATE') AS open FROM pg_namespace WHERE nspname = 'public'`,
    )
    t.same(publicSchema, { owner: 'pg_database_owner', usable: true, open: false })
  })

  await t.test('a session that sees the rows of every organization, and ends', async (t) => {
    const scope = { name: 'scope', text: "SELECT current_setting('app.scope', true) AS scope, $1::int AS n" }
    const seen = await withSystemSession(connectionTo(db.url), (system) =>
      system.query({ ...scope, values: [7] }),
    )
    t.same(seen, [{ scope: 'system', n: 7 }])
    t.same(await asDatabase(client).query({ name: 'one', text: 'SELECT 1 AS one' }), [{ one: 1 }])
    const failed = withSystemSession(connectionTo(db.url), async () => {
      throw new Error('changed my mind')
    })
    await t.rejects(failed, { message: 'changed my mind' })
    const others = `SELECT FROM pg_stat_activity WHERE datname = current_database()
      AND application_name = 'groundwork-test' AND pid <> $1`
    t.equal((await db.querySuper(others, [client.processID])).length, 0)
  })
})
