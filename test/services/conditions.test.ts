import t from 'tap'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import * as keys from '#services/api-keys/queries.ts'
import * as events from '#services/events/queries.ts'
import * as scans from '#services/files/scan-queries.ts'
import * as members from '#services/members/queries.ts'
import * as appends from '#services/storage/append-queries.ts'
import * as uploads from '#services/uploads/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

// Conditions that a check before the statement, or one after it, would hide.

t.test('rows of others, beside those that were asked for', async (t) => {
  const { app } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [one, other] = [await createOrganization(app), await createOrganization(app)]
  const { owner } = one
  await one.add('admin', other.owner)
  await other.add('member', owner)
  const system = new SystemDatabase(app.db)
  const orgs = [one.organization.id, other.organization.id]
  const users = [owner.user.id, other.owner.user.id]

  t.same(await members.selectOwnedOrganizations(new UserDatabase(app.db, owner.user.id)), orgs.slice(0, 1))
  t.match(
    await members.selectMemberships(system, orgs, users),
    orgs.map((org_id, index) => ({ org_id, user_id: users[index], role: 'owner' })),
  )
  const made = [await one.createApiKey(), await one.createApiKey()]
  const asked = made.slice(0, 1).map(({ id }) => id)
  t.strictSame(
    (await keys.selectAcceptedKeys(system, orgs.slice(0, 1), asked)).map(({ id }) => id),
    asked,
  )
})

t.test('what is so already is not changed again', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const [own, system] = [new OrgDatabase(app.db, tenant.organization.id), new SystemDatabase(app.db)]

  const [key, first, second] = [
    await tenant.createApiKey(),
    await tenant.createApiKey(),
    await tenant.createApiKey(),
  ]
  t.equal(await keys.replaceKey(own, key.id, first.id, 60), true)
  t.equal(await keys.replaceKey(own, key.id, second.id, 60), false)
  t.match(await db.query('SELECT replaced_by FROM api_keys WHERE id = $1', [key.id]), [
    { replaced_by: first.id },
  ])

  t.equal(await keys.countKeys(own), 2, 'one that has another in its place is not counted')
  t.equal(await keys.revokeKey(own, first.id, undefined), true)
  const revoked = await db.query('SELECT revoked_at FROM api_keys ORDER BY id')
  t.equal(await keys.revokeKey(own, first.id, undefined), false)
  t.same(await db.query('SELECT revoked_at FROM api_keys ORDER BY id'), revoked)

  const { id: upload } = await tenant.createUpload()
  t.equal(await uploads.markCompleted(own, upload, 60_000), true)
  const completed = await db.query('SELECT completed_at, expires_at FROM uploads')
  t.equal(await uploads.markCompleted(own, upload, 900_000), false)
  t.same(await db.query('SELECT completed_at, expires_at FROM uploads'), completed)

  await tenant.createFile()
  await db.query("UPDATE files SET scan = 'clean'")
  const [file] = await db.query<scans.WaitingContent>('SELECT * FROM files')
  if (file === undefined) throw new Error('there is no file')
  t.equal(await scans.countAttempt(system, file), undefined)
  t.equal(await scans.updateScan(system, file, { scan: 'infected', finding: 'x' }), false)
  t.match(await db.query('SELECT scan, scan_attempts FROM files'), [{ scan: 'clean', scan_attempts: 0 }])
})

t.test('an object belongs to who holds it, and to nobody who asked before another', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const leaseMs = 60_000
  const progress = { offset: 5, state: null }
  const key = 'a'.repeat(32)
  await db.query(
    `INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
     VALUES ($1, 'local', gen_random_uuid(), 9, 'writing', now() + interval '1 day')`,
    [key],
  )
  await appends.insertAppend(app.db, key)
  const [holder, later] = [
    await appends.askForObject(app.db, key, leaseMs),
    await appends.askForObject(app.db, key, leaseMs),
  ]
  t.match([holder, later], [{ held: true }, { held: false }])
  const [one, two] = [holder?.epoch ?? '', later?.epoch ?? '']
  t.equal(await appends.takeObject(app.db, key, { epoch: one, leaseMs }), undefined, 'somebody asked later')
  t.match(await appends.takeObject(app.db, key, { epoch: two, leaseMs }), { held: false }, 'somebody has it')
  t.equal(await appends.renewAppend(app.db, key, { epoch: one, leaseMs, progress }), false, 'somebody waits')
  t.equal(await appends.renewAppend(app.db, key, { epoch: two, leaseMs, progress }), false, 'another has it')
  t.equal(await appends.noteAppend(app.db, key, { epoch: two, progress }), false)
  t.equal(await appends.settleAppend(app.db, key, { epoch: two, progress }), false)
  t.equal(await appends.noteAppend(app.db, key, { epoch: one, progress }), true)
  await db.query("UPDATE object_appends SET lease_until = now() - interval '1 second'")
  t.equal(await appends.noteAppend(app.db, key, { epoch: one, progress }), false, 'the lease is over')
  t.equal(await appends.settleAppend(app.db, key, { epoch: one, progress }), false, 'the lease is over')
  t.match(await appends.takeObject(app.db, key, { epoch: two, leaseMs }), { held: true }, 'nobody has it')
  t.equal(await appends.renewAppend(app.db, key, { epoch: two, leaseMs, progress }), true)
  await db.query("UPDATE stored_objects SET state = 'kept'")
  t.equal(await appends.renewAppend(app.db, key, { epoch: two, leaseMs, progress }), false, 'it is whole')
  t.equal(await appends.askForObject(app.db, key, leaseMs), undefined)
  t.equal(await appends.selectAppend(app.db, key), undefined)
})

t.test('events that one person alone is told of do not wait for the broker again', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  await tenant.createProject()
  await tenant.createProject()
  const ids = (await db.query<{ id: string }>('UPDATE events SET broker_at = now() RETURNING id'))
    .map(({ id }) => id)
    .sort()
  await db.query('UPDATE events SET told_to = $1 WHERE id = $2', [tenant.owner.user.id, ids[0]])
  const from = '00000000-0000-0000-0000-000000000000'
  t.same(await events.unmarkTaken(new SystemDatabase(app.db), 'broker_at', { from, limit: 9 }), ids.slice(1))
})
