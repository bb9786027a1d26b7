import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Statement } from '#lib/database/database.ts'
import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { Relay } from '#services/events/relay.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import { realtimeSink } from '#services/realtime/sink.ts'
import { checkpoint, logContext, sealAll } from '#test/services/audit/log.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { seedOthers } from './seed.ts'
import { tenantColumn, tenantTablesOf } from './tables.ts'

/** Lets every table of the audit log have rows of these organizations. */
async function fillAuditLog(app: FastifyInstance, tenants: readonly TestOrganization[]): Promise<void> {
  const grow = () => Promise.all(tenants.map((tenant) => tenant.createProject()))
  const log = logContext(app)
  await checkpoint(log)
  await grow()
  await sealAll(log)
  await grow()
  for (const { organization } of tenants) {
    await new OrgDatabase(app.db, organization.id).query({
      name: 'cut',
      text: "INSERT INTO audit_cuts (org_id, seq, hash, at, note) VALUES ($1, 0, '', now(), '')",
      values: [organization.id],
    })
  }
}

/** The columns of a table that are not generated, as a statement lists them. */
async function writtenColumns(db: Pick<TestDatabase, 'query'>, table: string): Promise<string> {
  const columns = await db.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  )
  return columns.map(({ name }) => name).join(', ')
}

/**
 * Proves for each tenant table that rows of another organization can be neither seen, nor written, nor told of.
 *
 * @param app one that serves only (APP_ROLE), so that nothing of the audit log is sealed meanwhile
 */
export async function proveRows(
  t: Test,
  app: FastifyInstance,
  db: Pick<TestDatabase, 'query'>,
): Promise<void> {
  const [ours, theirs] = [await createOrganization(app), await createOrganization(app)]
  for (const tenant of [ours, theirs]) {
    await tenant.add('member')
    await tenant.createProject('The same name')
    await tenant.invite('the.same@example.com')
    await tenant.createApiKey()
    await tenant.createDelivery((await tenant.createWebhook()).id)
    await tenant.createFile('The same name')
    await tenant.createUpload('The same name')
  }
  const relay = new Relay(realtimeSink, { ctx: app.ctx, log: app.log })
  while ((await relay.pass()) > 0);
  const attendance = new Attendance(app.db, app.log)
  for (const { organization, owner } of [ours, theirs]) {
    const channel = `organizations:${organization.id}`
    attendance.join({ org: organization.id, channel, client: crypto.randomUUID(), caller: owner.user.id })
  }
  await attendance.close()
  await fillAuditLog(app, [ours, theirs])
  for (const tenant of [ours, theirs]) await seedOthers(db, tenant)
  const [a, b] = [ours.organization.id, theirs.organization.id]
  const as = {
    us: new OrgDatabase(app.db, a, ours.owner.user.id),
    them: new OrgDatabase(app.db, b, theirs.owner.user.id),
    nobody: app.db,
    stranger: new UserDatabase(app.db, (await createOrganization(app)).owner.user.id),
  }

  for (const table of await tenantTablesOf(db)) {
    await t.test(table, async (t) => {
      const column = tenantColumn(table)
      const [foreign] = await db.query<{ row: object }>(
        `SELECT to_jsonb(r) AS row FROM ${table} r WHERE ${column} = $1`,
        [b],
      )
      t.ok(foreign, 'the test has a row of the other organization')
      const text = JSON.stringify(foreign?.row)
      const run = (who: keyof typeof as, sql: string, values: unknown[] = [], pipelined = false) => {
        const statement: Statement = { name: 'test', text: sql, values, prepare: false, pipelined }
        return as[who].query(statement)
      }
      const columns = await writtenColumns(db, table)
      const insert = `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_record(NULL::${table}, $1)`
      const other = `${column} = '${b}'`
      const before = await db.query(`SELECT * FROM ${table} ORDER BY ctid`)

      for (const who of ['us', 'nobody', 'stranger'] as const) {
        t.same(await run(who, `SELECT 1 FROM ${table} WHERE ${other}`), [], `${who} selects`)
        t.same(
          await run(who, `SELECT 1 FROM ${table} WHERE ${other}`, [], true),
          [],
          `${who} on the pipeline`,
        )
        t.same(await run(who, `SELECT 1 FROM ${table} WHERE ${other} FOR UPDATE`), [], `${who} locks`)
        t.same(await run(who, `UPDATE ${table} SET ${column} = ${column} WHERE ${other} RETURNING 1`), [])
        t.same(await run(who, `DELETE FROM ${table} WHERE ${other} RETURNING 1`), [])
        await t.rejects(run(who, insert, [text]), { code: '42501' }, `${who} inserts`)
        // Nor by way of a conflict: what is refused is the row, whether or not there is one like it.
        await t.rejects(run(who, `${insert} ON CONFLICT DO NOTHING`, [text]), { code: '42501' })
      }
      t.same(await run('nobody', `SELECT 1 FROM ${table}`), [], 'without a context there is no row at all')
      t.ok((await run('us', `SELECT 1 FROM ${table}`)).length > 0, 'our own are there')
      const move = `UPDATE ${table} SET ${column} = '${b}' WHERE ${column} = '${a}'`
      await t.rejects(run('us', move), { code: '42501' }, 'none is given away')
      t.same(await db.query(`SELECT * FROM ${table} ORDER BY ctid`), before, 'nothing has changed')
    })
  }
}
