import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SYSTEM } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { emit, emitting } from '#services/events/emit.ts'
import { projectCreated, projectUpdated } from '#services/projects/events.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestDatabase } from '#test/support/database.ts'
import type { TestApp } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

/** Events of one organization about projects, oldest first. */
function eventsOf(db: TestDatabase, { organization }: TestOrganization) {
  return db.query(
    "SELECT * FROM events WHERE org_id = $1 AND subject_type = 'project' ORDER BY occurred_at, id",
    [organization.id],
  )
}

async function start(t: Test): Promise<TestApp & { tenant: TestOrganization; projects: string }> {
  const app = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app.app)
  return { ...app, tenant, projects: `${tenant.url}/projects` }
}

t.test(
  "a project's life is told: who did what, by which request, and nothing that people wrote",
  async (t) => {
    const { db, request, tenant, projects } = await start(t)
    const { owner: as, organization } = tenant
    const payload = { name: 'Canary of the name', description: 'Canary of the text' }
    const created = await request({ method: 'POST', url: projects, as, payload })
    const { id } = created.json()
    const url = `${projects}/${id}`
    await request({ method: 'PATCH', url, as, payload: { archived: true, name: 'Canary again' } })
    await request({ method: 'DELETE', url, as })

    const events = await eventsOf(db, tenant)
    t.match(events, [
      { type: 'projects.created', data: '{}', request_id: created.headers['x-request-id'] },
      { type: 'projects.updated', data: '{"changed":["archived","name"]}' },
      { type: 'projects.deleted', data: '{}' },
    ])
    for (const event of events) {
      const actor = { actor_kind: 'user', actor_id: as.user.id }
      t.match(event, { org_id: organization.id, version: 1, subject_id: id, ...actor })
    }
    t.notMatch(JSON.stringify(events), /Canary/)
  },
)

t.test('what changes nothing is not told', async (t) => {
  const { db, request, tenant, projects } = await start(t)
  const { owner: as } = tenant
  const { id } = await tenant.createProject('The same')
  await tenant.createProject('Another')
  const before = await eventsOf(db, tenant)
  const url = `${projects}/${id}`
  const stale = { 'if-match': '"2020-01-01T00:00:00.000Z"' }
  const refused = [
    await request({ method: 'POST', url: projects, as, payload: { name: 'the same' } }),
    await request({ method: 'PATCH', url, as, payload: { name: 'another' } }),
    await request({ method: 'PATCH', url, as, payload: { archived: true }, headers: stale }),
    await request({ method: 'DELETE', url, as, headers: stale }),
    await request({ method: 'DELETE', url: `${projects}/${uuidv7()}`, as }),
  ]
  t.same(
    refused.map(({ statusCode }) => statusCode),
    [409, 409, 412, 412, 404],
  )
  t.same(await eventsOf(db, tenant), before)
})

t.test('a repeated request is told once', async (t) => {
  const { db, request, tenant, projects } = await start(t)
  const headers = { 'idempotency-key': uuidv7() }
  const create = () =>
    request({ method: 'POST', url: projects, as: tenant.owner, payload: { name: 'Once' }, headers })
  const [first, second] = [await create(), await create()]
  t.equal(second.headers['idempotency-replayed'], 'true')
  t.equal(second.json().id, first.json().id)
  t.equal((await eventsOf(db, tenant)).length, 1)
})

t.test('a transaction that is undone tells nothing, one that is retried tells once', async (t) => {
  const { app, db, tenant } = await start(t)
  const { id } = await tenant.createProject()
  const ctx = { ...app.ctx, db: new OrgDatabase(app.db, tenant.organization.id) }
  const happening = { subject: id, data: { changed: ['name' as const] } }
  await t.rejects(
    transaction(ctx, async (tx) => {
      await emit(tx, projectUpdated, happening)
      throw new Error('undone')
    }),
    /undone/,
  )
  t.equal((await eventsOf(db, tenant)).length, 1)

  let attempts = 0
  const deadlock = "DO $$ BEGIN RAISE EXCEPTION 'for the test' USING ERRCODE = '40P01'; END $$"
  await transaction(ctx, async (tx) => {
    await emit(tx, projectUpdated, happening)
    if (++attempts === 1) await tx.db.query({ name: 'deadlock', text: deadlock, prepare: false })
  })
  t.equal(attempts, 2)
  t.equal((await eventsOf(db, tenant)).length, 2)
})

t.test('one statement tells of one event, however many rows it changes', async (t) => {
  const { app, db, tenant } = await start(t)
  for (const name of ['a', 'b', 'c']) await tenant.createProject(name)
  const { id } = await tenant.createProject('d')
  const ctx = { ...app.ctx, db: new OrgDatabase(app.db, tenant.organization.id) }
  const archive = {
    name: 'archiveAll',
    text: 'UPDATE projects SET archived = true RETURNING id',
    prepare: false,
  }
  const told = emitting(ctx, projectUpdated, { subject: id, data: { changed: ['archived'] } })
  t.equal((await told.query(archive)).length, 4)
  t.equal((await eventsOf(db, tenant)).length, 5)
  await t.rejects(told.query(archive), /with one statement/)
  await t.rejects(
    told.transaction(async () => undefined),
    /with one statement/,
  )
})

t.test('an event of an organization needs one, and jobs name it', async (t) => {
  const { app, db, tenant } = await start(t)
  const happening = { subject: uuidv7(), data: {} }
  await t.rejects(emit(app.ctx, projectCreated, happening), /for no organization/)
  // Nor does naming one help who may not write its rows.
  const org = tenant.organization.id
  await t.rejects(emit(app.ctx, projectCreated, { ...happening, org }), { code: '42501' })
  const ctx = { client: app.ctx.client, marker: app.ctx.marker, db: new SystemDatabase(app.db) }
  await emit(ctx, projectCreated, { ...happening, org })
  t.match(await eventsOf(db, tenant), [{ actor_kind: SYSTEM.kind, actor_id: null, request_id: null }])
})
