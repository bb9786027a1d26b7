import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verify } from '#services/audit/verification/verify.ts'
import { amount } from '#test/support/amount.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { environment } from '#test/support/process.ts'
import { logContext, sealAll } from './log.ts'

const KILLS = amount({ few: 4, many: 40 })
const WRITERS = 8

/** Starts a process that seals; resolves to what kills it. */
async function startSealer(t: Test, url: string): Promise<() => Promise<void>> {
  const env = environment({
    APP_ENVIRONMENT: 'test',
    APP_DATABASE__URL: url,
    APP_DATABASE__MIGRATE_ON_START: 'false',
    APP_ROLE: 'web',
    APP_LOG__LEVEL: 'error',
  })
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sealer-process.ts')], { env })
  const exit = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  await Promise.race([once(child.stdout, 'data'), exit])
  return async () => {
    child.kill('SIGKILL')
    await exit
  }
}

t.test('a sealer that is killed leaves no gap, no fork and no entry twice', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const tenants = [await createOrganization(app), await createOrganization(app)]
  let writing = true
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    while (writing) await tenants[writer % 2]?.createProject()
  })
  const sealed = async () => Number((await db.query('SELECT count(*) FROM audit_seals'))[0]?.['count'])
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await sealed()
    const end = await startSealer(t, db.url)
    // At least one batch, and then wherever it happens to be.
    while ((await sealed()) === before);
    await end()
  }
  writing = false
  await Promise.all(writers)
  const ctx = logContext(app)
  const hasPending = async () => (await db.query('SELECT FROM audit_intake LIMIT 1')).length > 0
  // The last one's connection may still be there, and with it its lock.
  while (await hasPending()) await sealAll(ctx)
  const counts = await db.query(
    `SELECT (SELECT count(*)::int FROM audit_entries) AS entries, (SELECT count(*)::int FROM audit_seals) AS seals,
            (SELECT count(*)::int FROM audit_intake) AS waiting`,
  )
  t.match(counts, [{ seals: counts[0]?.['entries'], waiting: 0 }])
  t.match(await verify(ctx), { problemCount: 0 })
})
