import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { splitStatements } from '#lib/migrations/statements.ts'
import { record } from '#services/audit/records.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp } from '#test/support/helper.ts'
import { logContext, sealAll } from './log.ts'

const DIRECTORY = join(import.meta.dirname, '../../../migrations')

async function statementsOf(suffix: string): Promise<string[]> {
  const file = (await readdir(DIRECTORY)).find((name) => name.endsWith(suffix))
  if (file === undefined) throw new Error(`there is no migration ${suffix}`)
  return splitStatements(await readFile(join(DIRECTORY, file), 'utf8')).map(({ text }) => text)
}

t.test('undoing the intake files what waits, where the version before seals it', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const write = (action: string) => record(app.ctx, { action, target: { type: 'test', id: null } })
  await write('tests.sealed')
  await sealAll(ctx)
  await write('tests.waits')
  await write('tests.erased')
  await db.query(
    "UPDATE audit_intake SET salt = NULL, ip = NULL, user_agent = NULL WHERE action = 'tests.erased'",
  )
  for (const text of await statementsOf('.undo.take-audit-entries-in.sql')) await db.query(text)
  const waiting = `SELECT e.action, p.salt IS NOT NULL AS has_salt
                   FROM audit_pending w JOIN audit_entries e ON e.org_id = w.org_id AND e.id = w.entry_id
                   LEFT JOIN audit_personal p ON p.org_id = w.org_id AND p.entry_id = w.entry_id ORDER BY e.id`
  t.strictSame(await db.query(waiting), [
    { action: 'tests.waits', has_salt: true },
    { action: 'tests.erased', has_salt: false },
  ])
  for (const text of await statementsOf('.do.take-audit-entries-in.sql')) await db.query(text)
  t.equal(await sealAll(ctx), 2, 'and the next version too')
  t.match(await verify(ctx), { problemCount: 0 })
})
