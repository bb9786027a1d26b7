import t from 'tap'
import { transaction } from '#lib/database/database.ts'
import { erasePersonalData, record } from '#services/audit/records.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { checkpoint, logContext, sealAll } from './log.ts'

const WRITERS = 64
const ENTRIES_EACH = 5

t.test('sealing', async (t) => {
  const test = await createTestApp(t, { APP_ROLE: 'web', APP_PRESSURE__MAX_WAITING: '1000' })
  const { app, db } = test
  const ctx = logContext(app)
  const count = async (table: string) =>
    Number((await db.query(`SELECT count(*) FROM ${table}`))[0]?.['count'])

  await t.test('64 writers and four sealers at once: every entry once, no gap, no fork', async (t) => {
    const tenants = [await createOrganization(app), await createOrganization(app)]
    let writing = true
    const sealers = Array.from({ length: 4 }, async () => {
      while (writing) await sealBatch(ctx)
    })
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        for (let entry = 0; entry < ENTRIES_EACH; entry++) await tenants[writer % 2]?.createProject()
      }),
    )
    writing = false
    await Promise.all(sealers)
    await sealAll(ctx)
    t.equal(await count('audit_seals'), await count('audit_entries'))
    t.equal(await count('audit_pending'), 0)
    t.match(await verify(ctx), { problemCount: 0 })
  })

  await t.test('what is rolled back leaves no entry', async (t) => {
    const before = await count('audit_entries')
    const undone = transaction(app.ctx, async (tx) => {
      await record(tx, { action: 'tests.undone', target: { type: 'test', id: null } })
      throw new Error('undone')
    })
    await t.rejects(undone, { message: 'undone' })
    t.equal(await count('audit_entries'), before)
    t.equal(await count('audit_pending'), 0)
  })

  await t.test('an entry that is committed late is sealed late, and none is missed', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { promise: written, resolve: isWritten } = Promise.withResolvers<void>()
    const late = transaction(app.ctx, async (tx) => {
      await record(tx, { action: 'tests.late', target: { type: 'test', id: null } })
      isWritten()
      await promise
    })
    await written
    await record(app.ctx, { action: 'tests.early', target: { type: 'test', id: null } })
    t.equal(await sealAll(ctx), 1)
    resolve()
    await late
    t.equal(await sealAll(ctx), 1)
    t.match(await verify(ctx), { problemCount: 0 })
  })

  await t.test('an entry that somebody else wrote is not sealed, and is named', async (t) => {
    const id = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
    const nil = '00000000-0000-0000-0000-000000000000'
    await db.query('BEGIN')
    await db.query(
      `INSERT INTO audit_entries SELECT (jsonb_populate_record(e, jsonb_build_object('id', $1::text, 'org_id', $2::text))).*
       FROM audit_entries e LIMIT 1`,
      [id, nil],
    )
    await db.query('INSERT INTO audit_pending VALUES ($1, $2)', [nil, id])
    await db.query('COMMIT')
    t.strictSame((await sealBatch(ctx)).refused, [{ org: nil, id, reason: 'wrong mac' }])
    t.match(await verify(ctx), { problems: [{ kind: 'entry_inserted', entry: id }] })
    await db.querySuper("SET session_replication_role = 'replica'")
    await db.querySuper(`DELETE FROM audit_entries WHERE id = '${id}'`)
    await db.querySuper(`DELETE FROM audit_pending WHERE entry_id = '${id}'`)
    await db.querySuper("SET session_replication_role = 'origin'")
  })

  await t.test('erasing what an account did leaves the chain valid', async (t) => {
    const { user, headers } = await test.signUp()
    const made = await test.request({
      method: 'POST',
      url: '/api/v1/organizations',
      payload: { name: 'Somebody' },
      headers: { ...headers, 'user-agent': 'a browser' },
    })
    t.equal(made.statusCode, 201)
    await checkpoint(ctx)
    await erasePersonalData(app.ctx, user.id)
    t.strictSame(await db.query('SELECT FROM audit_personal WHERE user_id = $1', [user.id]), [])
    t.match(await verify(ctx), { problemCount: 0 })
  })

  await t.test('the database refuses changes, also to its owner', async (t) => {
    await refusesChanges(t, test)
  })
})

async function refusesChanges(t: Pick<typeof import('tap').t, 'rejects'>, { db }: TestApp): Promise<void> {
  const refused = { code: '42501' }
  for (const table of ['audit_entries', 'audit_seals', 'audit_checkpoints', 'audit_checkpoint_heads']) {
    const [column] = await db.query<{ name: string }>(
      'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1',
      [table],
    )
    await t.rejects(db.query(`UPDATE ${table} SET ${column?.name} = ${column?.name}`), refused, table)
    await t.rejects(db.query(`DELETE FROM ${table}`), refused, table)
    await t.rejects(db.query(`TRUNCATE ${table}`), refused, table)
  }
  await t.rejects(db.query("UPDATE audit_personal SET ip = '192.0.2.1'"), refused)
  await t.rejects(db.query('TRUNCATE audit_personal, audit_pending'), refused)
}
