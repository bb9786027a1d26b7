import t, { type Test } from 'tap'
import { createEmptyDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'

// Many instances, on a machine that may be busy.
t.setTimeout(600_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 20)

async function migratedOnce(t: Test, db: TestDatabase, applied: number): Promise<void> {
  const rows = await db.query<{ version: number }>('SELECT version::int FROM schemaversion WHERE version > 0')
  t.equal(new Set(rows.map((row) => row.version)).size, rows.length, 'each migration is there once')
  t.equal(applied, rows.length, 'and was run once')
}

t.test(`eight cold starts at once on an empty database, ${ROUNDS} rounds`, async (t) => {
  for (let round = 1; round <= ROUNDS; round++) {
    await t.test(`round ${round}`, async (t) => {
      const db = await createEmptyDatabase(t)
      const env = {
        APP_DATABASE__MIGRATE_ON_START: 'true',
        APP_DATABASE__MAX_CONNECTIONS: '2',
        APP_ROLE: 'web',
      }
      let applied = 0
      const onLine = (line: string) => {
        if (line.includes('"Applied ')) applied++
      }
      const apps = await Promise.all(Array.from({ length: 8 }, () => startInstance(t, db, env, onLine)))
      for (const app of apps) {
        await eventually(async () => (await app.inject('/ready')).statusCode === 200)
      }
      await migratedOnce(t, db, applied)
    })
  }
})
