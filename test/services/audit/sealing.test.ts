import t from 'tap'
import { transaction } from '#lib/database/database.ts'
import { erasePersonalData, record } from '#services/audit/records.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { auditStatus } from '#services/audit/status.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { entriesOf } from '#test/support/audit.ts'
import { eventually } from '#test/support/eventually.ts'
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
    t.equal(await count('audit_intake'), 0)
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
    t.equal(await count('audit_intake'), 0)
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
    await copyEntry(test, { id, org_id: nil })
    t.strictSame((await sealBatch(ctx)).refused, [{ org: nil, id, reason: 'wrong mac' }])
    t.match(await verify(ctx), { problems: [{ kind: 'entry_inserted', entry: id }] })
    await forget(test, id)
  })

  await t.test('nor is one that has the id of another, and neither is lost silently', async (t) => {
    await record(app.ctx, { action: 'tests.taken', target: { type: 'test', id: null } })
    const [own] = await db.query<{ id: string }>('SELECT id FROM audit_intake')
    const id = String(own?.id)
    await sealAll(ctx)
    await copyEntry(test, { id, action: 'tests.another' })
    const nil = '00000000-0000-0000-0000-000000000000'
    t.match(await sealBatch(ctx), { sealed: 0, refused: [{ org: nil, id, reason: 'missing' }] })
    t.equal(await count('audit_intake'), 0)
    t.match(await auditStatus(app.ctx), { refused: 1 })
    t.match(await entriesOf(db, 'tests.%', undefined), [
      { action: 'tests.late' },
      {},
      { action: 'tests.taken' },
    ])
    t.match(await verify(ctx), { problemCount: 0 })
    await db.querySuper(`DELETE FROM audit_pending WHERE entry_id = '${id}'`)
  })

  await t.test('what a version before wrote, which filed entries itself, is sealed too', async (t) => {
    await record(app.ctx, { action: 'tests.before', target: { type: 'test', id: null } })
    await record(app.ctx, { action: 'tests.now', target: { type: 'test', id: null } })
    await db.query('BEGIN')
    await db.query("SELECT set_config('app.audit_filing', 'on', true)")
    await db.query(`WITH taken AS (DELETE FROM audit_intake WHERE action = 'tests.before' RETURNING *),
        entry AS (INSERT INTO audit_entries SELECT ${ENTRY} FROM taken),
        personal AS (INSERT INTO audit_personal SELECT org_id, id, user_id, salt, ip, user_agent FROM taken)
      INSERT INTO audit_pending SELECT org_id, id FROM taken`)
    await db.query('COMMIT')
    t.match(await sealBatch(ctx), { sealed: 2, refused: [] })
    t.equal(await count('audit_pending'), 0)
    t.match(await verify(ctx), { problemCount: 0 })
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

  await t.test('what is not filed is erased as well', async (t) => {
    const { as, left } = await actor(test)
    await record(as, { action: 'tests.waits', target: { type: 'test', id: null } })
    t.equal(await left(), 1)
    await erasePersonalData(app.ctx, as.client.actor.id)
    t.equal(await left(), 0)
    t.match(await db.query("SELECT ip, user_agent, salt FROM audit_intake WHERE action = 'tests.waits'"), [
      { ip: null, user_agent: null, salt: null },
    ])
    t.equal(await sealAll(ctx), 1)
    t.equal(await left(), 0)
    t.match(await verify(ctx), { problemCount: 0 })
  })

  await t.test('so is what is filed at the same moment, in either order', async (t) => {
    const { as, left } = await actor(test)
    const write = () => record(as, { action: 'tests.races', target: { type: 'test', id: null } })
    const held = async (work: (tx: typeof app.ctx) => Promise<unknown>) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const { promise: done, resolve: isDone } = Promise.withResolvers<void>()
      const ended = transaction(app.ctx, async (tx) => {
        await work({ ...app.ctx, ...tx })
        isDone()
        await promise
      })
      await done
      const end = async () => {
        resolve()
        await ended
      }
      return { end }
    }

    await write()
    const filing = await held((tx) => sealBatch({ ...ctx, db: tx.db }))
    const erased = erasePersonalData(app.ctx, as.client.actor.id)
    await eventually(async () => (await waiting(test)) > 0)
    await filing.end()
    await erased
    t.equal(await left(), 0)

    await write()
    const erasing = await held((tx) => erasePersonalData(tx, as.client.actor.id))
    t.match(
      await sealBatch(ctx),
      { sealed: 0, refused: [] },
      'it waits for nobody, and takes it the next time',
    )
    await erasing.end()
    t.match(await sealBatch(ctx), { sealed: 1, refused: [] })
    t.equal(await left(), 0)
    t.match(await verify(ctx), { problemCount: 0 })
  })

  await t.test('the database refuses changes, also to its owner', async (t) => {
    await record(app.ctx, { action: 'tests.kept', target: { type: 'test', id: null } })
    await refusesChanges(t, test)
  })
})

const ENTRY = `org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details,
  personal_commitment, mac`

/** Has an entry wait that somebody has copied and changed. */
async function copyEntry({ db }: TestApp, changes: object): Promise<void> {
  await db.query(
    `INSERT INTO audit_intake (${ENTRY})
     SELECT ${ENTRY} FROM (SELECT (jsonb_populate_record(e, $1)).* FROM audit_entries e ORDER BY id LIMIT 1) AS copy`,
    [changes],
  )
}

/** Takes an entry away that was never sealed. */
async function forget({ db }: TestApp, id: string): Promise<void> {
  await db.querySuper("SET session_replication_role = 'replica'")
  await db.querySuper(`DELETE FROM audit_entries WHERE id = '${id}'`)
  await db.querySuper(`DELETE FROM audit_pending WHERE entry_id = '${id}'`)
  await db.querySuper("SET session_replication_role = 'origin'")
}

/** The context of somebody who acts, and how much of what they did has personal data. */
async function actor({ app, db, signUp }: TestApp) {
  const { user } = await signUp()
  await sealAll(logContext(app))
  await erasePersonalData(app.ctx, user.id)
  const client = { ...app.ctx.client, actor: { kind: 'user', id: user.id }, userAgent: 'a browser' } as const
  const left = async () => {
    const rows = await db.query(
      `SELECT user_id FROM audit_personal WHERE user_id = $1
       UNION ALL SELECT user_id FROM audit_intake WHERE user_id = $1`,
      [user.id],
    )
    return rows.length
  }
  return { as: { ...app.ctx, client }, left }
}

/** Statements of this database that wait for a lock. */
async function waiting({ db }: TestApp): Promise<number> {
  const rows = await db.query<{ count: number }>(
    "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  )
  return rows[0]?.count ?? 0
}

async function refusesChanges(t: Pick<typeof import('tap').t, 'rejects'>, { db }: TestApp): Promise<void> {
  const refused = { code: '42501' }
  for (const table of [
    'audit_intake',
    'audit_entries',
    'audit_seals',
    'audit_checkpoints',
    'audit_checkpoint_heads',
  ]) {
    const [column] = await db.query<{ name: string }>(
      'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1',
      [table],
    )
    await t.rejects(db.query(`UPDATE ${table} SET ${column?.name} = ${column?.name}`), refused, table)
    await t.rejects(db.query(`DELETE FROM ${table}`), refused, table)
    await t.rejects(db.query(`TRUNCATE ${table}`), refused, table)
  }
  await t.rejects(db.query("UPDATE audit_personal SET ip = '192.0.2.1'"), refused)
  await t.rejects(db.query("UPDATE audit_intake SET ip = '192.0.2.1'"), refused)
  await t.rejects(db.query("UPDATE audit_intake SET salt = '', ip = NULL"), refused)
  await t.rejects(db.query('TRUNCATE audit_personal, audit_pending'), refused)
}
