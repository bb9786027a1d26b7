import t from 'tap'
import * as appends from '#services/storage/append-queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

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
  t.match(await appends.selectAppend(app.db, key), { isHeld: true, taken: 9 })
  await db.query("UPDATE object_appends SET lease_until = now() - interval '1 second'")
  t.match(await appends.selectAppend(app.db, key), { isHeld: false })
  const further = { ...progress, offset: 7 }
  t.equal(await appends.renewAppend(app.db, key, { epoch: two, leaseMs, progress: further }), true)
  t.match(await appends.selectAppend(app.db, key), { isHeld: true, received: 7 })
  await db.query("UPDATE stored_objects SET state = 'kept'")
  t.equal(await appends.renewAppend(app.db, key, { epoch: two, leaseMs, progress }), false, 'it is whole')
  t.equal(await appends.askForObject(app.db, key, leaseMs), undefined)
  t.equal(await appends.selectAppend(app.db, key), undefined)
})
