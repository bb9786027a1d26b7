import { join } from 'node:path'
import t from 'tap'
import { migrateUp, migrationStatus } from '#lib/migrations/migrations.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { environment, startProcess } from '#test/support/process.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const MIGRATIONS = join(import.meta.dirname, '../../migrations')

/** All that migrations make, in words that two databases can be compared by. */
async function schemaOf(db: TestDatabase): Promise<unknown> {
  const [row] = await db.query(`
    SELECT
      (SELECT json_agg(json_build_array(table_name, column_name, data_type, is_nullable, column_default)
                       ORDER BY table_name, ordinal_position)
       FROM information_schema.columns WHERE table_schema = 'public') AS columns,
      (SELECT json_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'public') AS indexes,
      (SELECT json_agg(json_build_array(conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
                       ORDER BY conrelid::regclass::text, conname)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS constraints,
      (SELECT json_agg(pg_get_triggerdef(oid) ORDER BY pg_get_triggerdef(oid)) FROM pg_trigger
       WHERE NOT tgisinternal) AS triggers,
      (SELECT json_agg(prosrc ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions,
      (SELECT json_agg(json_build_array(version, md5) ORDER BY version) FROM schemaversion) AS versions`)
  return row
}

/** Faults of a migration's connection, at the n-th message or the n-th commit. */
const DEATHS = {
  'before message': (proxy: TcpProxy, n: number) => proxy.breakAt(n),
  // Before its commit a transaction that dies is undone, whether or not the server had its last statement.
  'after commit': (proxy: TcpProxy, n: number) => proxy.loseCommits(1, n - 1),
}

t.test('killed at every statement, then run again: as if nothing had been', async (t) => {
  const untouched = await createEmptyDatabase(t)
  await migrateUp({ connection: connectionTo(untouched.url), directory: MIGRATIONS })
  const expected = await schemaOf(untouched)
  let killed = 0
  for (const [name, arrange] of Object.entries(DEATHS)) {
    for (let n = 1, dies = true; dies; n++) {
      await t.test(`${name} ${n}`, async (t) => {
        const db = await createEmptyDatabase(t)
        const proxy = await startProxy(t, db.url)
        arrange(proxy, n)
        const options = { connection: connectionTo(proxy.url), directory: MIGRATIONS }
        dies = await migrateUp(options).then(
          () => false,
          () => true,
        )
        if (dies) killed++
        const direct = { ...options, connection: connectionTo(db.url) }
        const states = (await migrationStatus(direct)).map(({ state }) => state)
        const rest = states.slice(states.lastIndexOf('applied') + 1)
        t.ok(
          rest.every((state) => state === 'pending'),
          'applied up to some point',
        )
        await migrateUp(direct)
        t.same(await schemaOf(db), expected)
      })
    }
  }
  t.ok(killed > 80, `${killed} kills`)
})

t.test('the process is killed while it migrates, and started again', async (t) => {
  for (const n of [12, 25, 40]) {
    const db = await createEmptyDatabase(t)
    const proxy = await startProxy(t, db.url)
    const env = environment({ APP_ENVIRONMENT: 'test', APP_DATABASE__URL: proxy.url })
    const args = ['commands/migrate.ts', 'up']
    proxy.hangAt(n)
    const first = startProcess(t, process.execPath, args, { env })
    await eventually(async () => proxy.isHanging)
    first.child.kill('SIGKILL')
    await first.exited
    await proxy.restore()
    const again = startProcess(t, process.execPath, args, { env })
    t.match(await again.exited, { code: 0 }, again.stderr())
    const states = await migrationStatus({ connection: connectionTo(db.url), directory: MIGRATIONS })
    t.ok(states.every(({ state }) => state === 'applied'))
  }
})
