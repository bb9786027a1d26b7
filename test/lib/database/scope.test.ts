import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Statement } from '#lib/database/database.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { Session } from '#lib/database/session.ts'
import { amount } from '#test/support/amount.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'

const OBSERVER = {
  queried: () => undefined,
  waited: () => undefined,
  repeated: () => undefined,
  cancelled: () => undefined,
}

const ONE = randomUUID()
const TWO = randomUUID()

/** A table with a row for each of two organizations, and what a connection's scope is in the end. */
const TABLES = `
  CREATE TABLE notes (org_id uuid NOT NULL, id int NOT NULL, PRIMARY KEY (org_id, id));
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE notes FORCE ROW LEVEL SECURITY;
  CREATE POLICY tenant ON notes USING (org_id = (SELECT nullif(current_setting('app.org_id', true), '')::uuid));
  CREATE POLICY system ON notes USING (current_setting('app.scope', true) = 'system');
  SET app.scope = 'system';
  INSERT INTO notes VALUES ('${ONE}', 1), ('${TWO}', 2)`

const NOTES = { name: 'selectNotes', text: 'SELECT org_id, id FROM notes ORDER BY id' }
const PIPELINED = { ...NOTES, pipelined: true }
const SETTINGS = {
  name: 'selectSettings',
  text: `SELECT current_setting('app.org_id', true) AS org, current_setting('app.user_id', true) AS user,
           current_setting('app.scope', true) AS scope`,
}

async function open(t: Test, url: string, max = 3) {
  const Client = class extends Session {
    constructor() {
      super(connectionTo(url), { pipeline: true })
    }
  }
  const pool = new pg.Pool({ Client, max })
  pool.on('error', () => undefined)
  const db = new PoolDatabase(pool, OBSERVER)
  t.teardown(async () => {
    await db.close()
    await pool.end()
  })
  return db
}

async function createNotes(t: Test) {
  const { url, query } = await createEmptyDatabase(t)
  await query(TABLES)
  return url
}

/** All that holds of any way to the database. */
async function check(t: Test, db: PoolDatabase): Promise<void> {
  const one = new OrgDatabase(db, ONE)
  const two = new OrgDatabase(db, TWO, randomUUID())
  const rowOf = { [ONE]: [{ org_id: ONE, id: 1 }], [TWO]: [{ org_id: TWO, id: 2 }] }

  await t.test('each organization sees its own rows, and without one no row is visible', async (t) => {
    for (const statement of [NOTES, PIPELINED]) {
      t.same(await db.query(statement), [], 'a connection without a scope so far')
      t.same(await one.query(statement), rowOf[ONE])
      t.same(await two.query(statement), rowOf[TWO])
      t.same(await db.query(statement), [], 'a connection that had one')
      t.same(await new UserDatabase(db, randomUUID()).query(statement), [])
      t.equal((await new SystemDatabase(db).query(statement)).length, 2)
    }
  })

  await t.test('a database keeps its scope, and refuses another one', async (t) => {
    const user = new UserDatabase(db, randomUUID())
    for (const narrow of [one, two, user]) t.throws(() => new SystemDatabase(narrow), TypeError)
    for (const other of [two, user, new SystemDatabase(db)])
      t.throws(() => new OrgDatabase(other, ONE), TypeError)
    await one.transaction(async (inside) => {
      t.throws(() => new SystemDatabase(inside), TypeError)
      t.same(await new OrgDatabase(inside, ONE).query(NOTES), rowOf[ONE], 'the same again is nothing else')
    })
  })

  await t.test('nothing of a scope stays', async (t) => {
    await two.query(NOTES)
    await new SystemDatabase(db).query(NOTES)
    const [settings] = await db.query<Record<string, string | null>>(SETTINGS)
    t.ok(Object.values(settings ?? {}).every((value) => value === null || value === ''))
  })

  await t.test('in a transaction, each statement has its own', async (t) => {
    await db.transaction(async (transaction) => {
      const [inside, other] = [new OrgDatabase(transaction, ONE), new OrgDatabase(transaction, TWO)]
      t.same(await transaction.query(NOTES), [])
      t.same(await inside.query(NOTES), rowOf[ONE])
      const three = await Promise.all([inside.query(NOTES), other.query(NOTES), transaction.query(NOTES)])
      t.same(three, [rowOf[ONE], rowOf[TWO], []])
    })
    const insert = { name: 'insertNote', text: 'INSERT INTO notes VALUES ($1, 3) RETURNING id' }
    await t.rejects(
      one.transaction(async (inside) => {
        t.type(inside, OrgDatabase)
        t.same(await inside.query({ ...insert, values: [ONE] }), [{ id: 3 }])
        await inside.query({ ...insert, values: [TWO] })
      }),
      { code: '42501' },
    )
    t.same(await one.query(NOTES), rowOf[ONE], 'undone')
  })

  await t.test('an error in either part, and what comes after it', async (t) => {
    const fails = { name: 'divide', text: 'SELECT 1 / id AS x FROM notes WHERE id = $1 - 1', pipelined: true }
    const wrong = { name: 'wrong', text: 'SELECT nothing FROM nowhere', pipelined: true }
    const answers = await Promise.allSettled([
      one.query(PIPELINED),
      one.query({ ...fails, text: 'SELECT 1 / (id - 1) AS x FROM notes', name: 'zero' }),
      two.query(PIPELINED),
      one.query(wrong),
      two.query({ ...fails, values: ['no number'] }),
      // What a setting cannot hold ends the first part.
      new OrgDatabase(db, `${ONE}\0`).query({ ...PIPELINED, name: 'afterSetting' }),
      one.query(PIPELINED),
      db.query(PIPELINED),
    ])
    t.match(answers[0], { value: rowOf[ONE] })
    for (const index of [1, 3, 4, 5]) t.equal(answers[index]?.status, 'rejected', String(index))
    t.match(answers[2], { value: rowOf[TWO] })
    t.match(answers[6], { value: rowOf[ONE] })
    t.match(answers[7], { value: [] })
    // The names that the failed ones would have prepared are good for use.
    t.same(await one.query({ ...PIPELINED, name: 'afterSetting' }), rowOf[ONE])
    await t.rejects(one.query({ ...wrong, pipelined: false }))
    t.same(await db.query(NOTES), [])
  })

  await t.test('64 callers of two organizations, and none, over what they share', async (t) => {
    const expected = new Map<unknown, unknown>([
      [one, rowOf[ONE]],
      [two, rowOf[TWO]],
      [db, []],
    ])
    let wrong = 0
    const caller = async (_: unknown, number: number) => {
      for (let count = 0; count < READS; count++) {
        const who = [one, two, db][(number + count) % 3] ?? db
        const statement: Statement = count % 7 === 0 ? NOTES : PIPELINED
        const rows = await who.query(statement)
        if (JSON.stringify(rows) !== JSON.stringify(expected.get(who))) wrong++
      }
    }
    await Promise.all(Array.from({ length: 64 }, caller))
    t.equal(wrong, 0)
  })
}

/** Reads by each caller. */
const READS = amount({ few: 20, many: 1600 })

t.test('scopes', async (t) => {
  await check(t, await open(t, await createNotes(t)))
})

t.test('over one connection that is all there is', async (t) => {
  const db = await open(t, await createNotes(t), 1)
  const [one, two] = [new OrgDatabase(db, ONE), new OrgDatabase(db, TWO)]
  const rows = await Promise.all([one, two, db, one].map((who) => who.query<{ id: number }>(PIPELINED)))
  t.same(
    rows.map((found) => found.map(({ id }) => id)),
    [[1], [2], [], [1]],
  )
})

t.test('through a pooler', { skip: WITHOUT_PGBOUNCER }, async (t) => {
  const url = await createNotes(t)
  await check(t, await open(t, await startPgBouncer(t, url)))
})
