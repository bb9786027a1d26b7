import pg from 'pg'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'
import { proveRows } from './row-proof.ts'
import { tenantTablesOf } from './tables.ts'

// Its settings of transactions through a pooler are those of test/lib/database/scope.test.ts, which always runs.
const SHORT = amount({ few: 0, many: 1 }) === 0 ? 'run by npm run test:long' : false

t.test('rows of another organization can be neither seen, nor written, nor told of', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  await proveRows(t, app, db)

  t.test('through a pooler', { skip: WITHOUT_PGBOUNCER || SHORT }, async (t) => {
    await proveRows(
      t,
      await startInstance(t, { url: await startPgBouncer(t, db.url) }, { APP_ROLE: 'web' }),
      db,
    )
  })

  t.test('a fresh connection of the same role, by hand', async (t) => {
    const client = new pg.Client(db.url)
    await client.connect()
    for (const table of await tenantTablesOf(db)) {
      t.same((await client.query(`SELECT FROM ${table}`)).rows, [])
      await t.rejects(client.query(`COPY ${table} FROM STDIN`), { code: '0A000' })
    }
    await client.end()
  })
})
