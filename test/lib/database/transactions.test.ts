import t from 'tap'
import type { Database } from '#lib/database/database.ts'
import { transaction } from '#lib/database/database.ts'
import { runTransaction } from '#lib/database/transaction-database.ts'
import { createTestApp } from '#test/support/helper.ts'

const OBSERVER = { queried() {}, waited() {}, repeated() {}, cancelled() {} }
const ONE = { name: 'one', text: 'SELECT 1 AS one' }
const insert = (value: number) => ({
  name: 'insertNumber',
  text: 'INSERT INTO numbers (value) VALUES ($1)',
  values: [value],
})

t.test('a transaction', async (t) => {
  const { app, db } = await createTestApp(t)
  await db.query('CREATE TABLE numbers (value int CONSTRAINT numbers_key UNIQUE DEFERRABLE)')
  const numbers = async () => {
    const rows = await db.query<{ value: number }>('SELECT value FROM numbers ORDER BY value')
    return rows.map((row) => row.value)
  }
  t.beforeEach(() => db.query('DELETE FROM numbers'))
  const fails = new Error('changed my mind')

  t.test('commits, and returns the result', async (t) => {
    const result = await app.db.transaction(async (tx) => {
      await tx.query(insert(1))
      t.same(await numbers(), [], 'nobody sees it yet')
      t.match(await tx.query({ name: 'count', text: 'SELECT count(*)::int FROM numbers' }), [{ count: 1 }])
      await tx.query(insert(2))
      return 'done'
    })
    t.equal(result, 'done')
    t.same(await numbers(), [1, 2])
  })

  t.test('rolls back when the work throws', async (t) => {
    const work = async (tx: Database) => {
      await tx.query(insert(1))
      throw fails
    }
    await t.rejects(app.db.transaction(work), fails)
    t.same(await numbers(), [])
  })

  t.test('is joined by those inside it', async (t) => {
    const outer = app.db.transaction(async (tx) => {
      await tx.query(insert(1))
      await tx.transaction(async (inner) => {
        await inner.query(insert(2))
        await inner.transaction((innermost) => innermost.query(insert(3)))
      })
      t.same(await numbers(), [], 'the inner ones commit nothing')
      throw fails
    })
    await t.rejects(outer, fails)
    t.same(await numbers(), [], 'all of it is undone')
  })

  t.test('passes services a copy of their context', async (t) => {
    const ctx = { db: app.db, more: 'of it' }
    await transaction(ctx, async (tx) => {
      t.not(tx.db, ctx.db)
      t.equal(tx.more, ctx.more)
      await tx.db.query(insert(1))
    })
    t.same(await numbers(), [1])
  })

  t.test('fails loudly when an error of SQL was swallowed', async (t) => {
    const work = async (tx: Database) => {
      await tx.query(insert(1))
      await tx.query({ name: 'bad', text: 'SELECT 1 / 0' }).catch(() => undefined)
      return 'as if nothing had happened'
    }
    await t.rejects(app.db.transaction(work), { message: 'COMMIT became ROLLBACK' })
    t.same(await numbers(), [])
    t.match(await app.db.query(ONE), [{ one: 1 }], 'the pool is fine')
  })

  t.test('fails with the error of a constraint that is checked at its end', async (t) => {
    const work = async (tx: Database) => {
      await tx.query({ name: 'defer', text: 'SET CONSTRAINTS numbers_key DEFERRED' })
      await tx.query(insert(1))
      await tx.query(insert(1))
    }
    await t.rejects(app.db.transaction(work), { code: '23505', constraint: 'numbers_key' })
    t.same(await numbers(), [])
  })

  t.test('sends nothing when there is nothing to do', async (t) => {
    const client = await app.pg.pool.connect()
    t.teardown(() => client.release())
    const sent = t.capture(client, 'query', client.query)
    t.equal(await runTransaction(client, async () => 'nothing', OBSERVER, undefined), 'nothing')
    await t.rejects(
      runTransaction(client, () => Promise.reject(fails), OBSERVER, undefined),
      fails,
    )
    t.same(sent(), [])
  })

  t.test('returns its connection however it ends', async (t) => {
    for (let count = 0; count < 30; count++) {
      const work = (tx: Database) =>
        tx.query(insert(count)).then(() => {
          if (count % 2) throw fails
        })
      await app.db.transaction(work).catch(() => undefined)
    }
    t.equal(app.pg.pool.waitingCount, 0)
    t.equal((await numbers()).length, 15)
    const open = await db.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
    )
    t.equal(open.length, 0, 'none is left open')
  })
})
