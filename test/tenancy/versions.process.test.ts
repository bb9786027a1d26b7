import t from 'tap'
import { startPostgresServer } from '#test/commands/backup/postgres-server.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { startInstance } from '#test/support/instances.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'
import { holesOf } from './catalogue.ts'
import { proveRows } from './row-proof.ts'

/** Directories with the programs of further versions of PostgreSQL, as in PATH; the nightly workflow installs them. */
const PROGRAMS = (process.env['POSTGRES_PROGRAMS'] ?? '').split(':').filter((path) => path !== '')

const skip = PROGRAMS.length === 0 ? 'POSTGRES_PROGRAMS names no other version of PostgreSQL' : false

t.test('the proof holds on other versions of PostgreSQL', { skip }, async (t) => {
  for (const programs of PROGRAMS) {
    await t.test(programs, async (t) => {
      const server = await startPostgresServer(t, programs)
      const url = await server.createDatabase()
      const seesAll = `${url}?options=${encodeURIComponent('-c app.scope=system')}`
      const db: Pick<TestDatabase, 'query'> = {
        query: (text, values) => server.query(seesAll, text, values),
      }
      const settings = { APP_ROLE: 'web', APP_DATABASE__MIGRATE_ON_START: 'true' }
      const app = await startInstance(t, { url }, settings)
      t.strictSame(await holesOf(db), [])
      await proveRows(t, app, db)
      await t.test('through a pooler', { skip: WITHOUT_PGBOUNCER }, async (t) => {
        const pooled = await startPgBouncer(t, url)
        await proveRows(t, await startInstance(t, { url: pooled }, { APP_ROLE: 'web' }), db)
      })
    })
  }
})
