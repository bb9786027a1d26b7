import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { Database } from '#lib/database/database.ts'
import * as appends from '#services/storage/append-queries.ts'
import { StorageQuotaReached, UnknownSpace } from '#services/storage/errors.ts'
import * as limits from '#services/storage/limits.ts'
import * as queries from '#services/storage/queries.ts'
import { Reservation } from '#services/storage/reservation.ts'
import { Writing } from '#services/storage/storage.ts'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { sweep } from '#test/support/files.ts'

const KIB = 1024
const MIB = 1024 * KIB

t.test('only admins see and set limits, whatever route they come by', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [{ user }, admin] = [await signUp(), await signUp({ role: 'admin' })]
  await t.rejects(limits.get(app.ctx, user, user.id), Forbidden)
  await t.rejects(limits.update(app.ctx, user, user.id, { max_bytes: 1, reason: 'more' }), Forbidden)
  t.same(await db.query('SELECT FROM storage_usage'), [])
  await t.rejects(limits.update(app.ctx, admin.user, uuidv7(), { max_bytes: 1, reason: 'why' }), UnknownSpace)
})

t.test('space for an object of unknown length is taken in steps, and no more than there is', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  const taken = async () =>
    Number(
      (await db.query<{ bytes: string }>('SELECT bytes FROM storage_usage WHERE space_id = $1', [space]))[0]
        ?.bytes ?? 0,
    )
  const quota = 300 * KIB
  const writing = await Writing.begin(app.ctx, { space, quota, length: undefined })
  t.equal(await taken(), 64 * KIB)
  t.equal(writing.reach(64 * KIB), undefined, 'there is nothing to wait for')
  await writing.reach(64 * KIB + 1)
  t.equal(await taken(), 128 * KIB, 'as much again')
  await writing.reach(256 * KIB)
  t.equal(await taken(), 256 * KIB)
  await writing.reach(256 * KIB + 1)
  t.equal(await taken(), 256 * KIB + 1, 'there is no step left')
  await writing.reach(quota)
  t.equal(await taken(), quota)
  await t.rejects(writing.reach(quota + 1) ?? Promise.resolve(), StorageQuotaReached)
  t.equal(await taken(), quota)
  await writing.discard(app.ctx)
  t.equal(await taken(), 0)

  const small = await Writing.begin(app.ctx, { space, quota, length: 1 })
  t.equal(await taken(), 4 * KIB, 'as the smallest object counts')
  await small.discard(app.ctx)
})

t.test(
  'an object that is replaced does not count while a file has it, whatever else is under way',
  async (t) => {
    const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
    const space = (await signUp()).user.id
    const quota = 100 * KIB
    const begin = (length: number | undefined, replaced?: string) =>
      Writing.begin(app.ctx, { space, quota, length, replaced })
    const old = await begin(quota)
    await t.rejects(begin(quota, old.key), StorageQuotaReached, 'no file has it yet')
    await app.db.transaction((tx) => old.keep(tx, quota))
    await t.rejects(begin(quota), StorageQuotaReached)
    await t.rejects(begin(quota + 1, old.key), StorageQuotaReached)
    const known = await begin(quota, old.key)
    await known.discard(app.ctx)
    const unknown = await begin(undefined, old.key)
    await unknown.reach(quota)
    await t.rejects(unknown.reach(quota + 1) ?? Promise.resolve(), StorageQuotaReached)
    await unknown.discard(app.ctx)

    const growing = await begin(10 * KIB, old.key)
    const doom = "UPDATE stored_objects SET state = 'doomed' WHERE key = $1"
    let waiting: Promise<unknown>[] = []
    await app.db.transaction(async (tx) => {
      await tx.query({ name: 'doomReplaced', text: doom, values: [old.key] })
      // They see it kept, and wait for what becomes of it.
      waiting = [begin(quota - KIB, old.key), growing.reach(quota - KIB) ?? Promise.resolve()]
      for (const work of waiting) work.catch(() => undefined)
      await eventually(async () => {
        const [blocked] = await db.query<{ count: string }>(
          "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')",
        )
        return Number(blocked?.count) >= 2
      })
    })
    const [first] = await Promise.allSettled(waiting)
    t.equal(first?.status, 'rejected')
    const [usage] = await db.query<{ bytes: string }>('SELECT bytes FROM storage_usage WHERE space_id = $1', [
      space,
    ])
    t.ok(Number(usage?.bytes) <= quota, `${usage?.bytes} bytes`)
  },
)

/** The state that an object must have for a statement to do anything with it; of one with another, it says no. */
const STATES: Readonly<
  Record<string, { state: 'writing' | 'kept'; ask: (db: Database, key: string) => Promise<unknown> }>
> = {
  flush: { state: 'writing', ask: async (db, key) => (await queries.flushObjects(db, [key])).has(key) },
  grow: { state: 'writing', ask: (db, key) => queries.growObject(db, key, 1, { quota: MIB }) },
  renew: { state: 'writing', ask: (db, key) => queries.renewObject(db, key, 1000) },
  keep: { state: 'writing', ask: (db, key) => queries.keepObject(db, key, 1) },
  doom: { state: 'writing', ask: queries.doomObject },
  hold: { state: 'kept', ask: queries.holdObject },
  'ask for': {
    state: 'writing',
    ask: async (db, key) => (await appends.askForObject(db, key, 1000))?.held ?? false,
  },
  'look how far': {
    state: 'writing',
    ask: async (db, key) => (await appends.selectAppend(db, key)) !== undefined,
  },
  'say that it is being written': {
    state: 'writing',
    async ask(db, key) {
      await db.query({
        name: 'setHolder',
        text: 'UPDATE object_appends SET holder = 1, epoch = 1, lease_until = now() WHERE key = $1',
        values: [key],
      })
      return appends.renewAppend(db, key, { epoch: '1', leaseMs: 1000, progress: { offset: 0, state: null } })
    },
  },
}

t.test('what is done with an object depends on its state', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  const statesOf = () => db.query('SELECT key, state, bytes FROM stored_objects ORDER BY key')
  let number = 0
  for (const [name, { state: right, ask }] of Object.entries(STATES)) {
    for (const state of ['writing', 'kept', 'doomed'] as const) {
      const key = String(++number).padStart(32, '0')
      await queries.insertObject(app.db, { key, store: 'local', space, bytes: 1, leaseMs: 60_000 }, null)
      await db.query('UPDATE stored_objects SET state = $2 WHERE key = $1', [key, state])
      await appends.insertAppend(app.db, key)
      const before = await statesOf()
      t.equal(await ask(app.db, key), state === right, `${name}: ${state}`)
      if (state !== right) t.strictSame(await statesOf(), before)
    }
  }
  await queries.deleteRemoved(
    app.db,
    (await statesOf()).map(({ key }) => String(key)),
  )
  t.ok(
    (await statesOf()).every(({ state }) => state !== 'doomed') && (await statesOf()).length > 9,
    'what is kept stays',
  )
})

t.test('no step is larger than 64 MiB', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  const { key } = await Writing.begin(app.ctx, { space, quota: null, length: 200 * MIB })
  const reservation = new Reservation(app.ctx.storage.db, { key, quota: 1024 * MIB, taken: 200 * MIB })
  await reservation.reach(200 * MIB + 1)
  t.match(await db.query('SELECT bytes FROM storage_usage WHERE space_id = $1', [space]), [
    { bytes: String(264 * MIB) },
  ])
})

t.test('what is counted stays in place, and goes with the last object', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  const write = () => Writing.begin(app.ctx, { space, quota: MIB, length: KIB })
  const [first, second] = [await write(), await write()]
  // An update that has to write an entry to an index does not count as one in place.
  const inPlace = await app.db.transaction(async (tx) => {
    const count = async () => {
      const text = "SELECT n_tup_hot_upd AS n FROM pg_stat_xact_user_tables WHERE relname = 'storage_usage'"
      return Number((await tx.query<{ n: string }>({ name: 'countUpdatesInPlace', text }))[0]?.n)
    }
    const before = await count()
    await queries.growObject(tx, first.key, KIB, { quota: MIB })
    return (await count()) - before
  })
  t.equal(inPlace, 1)
  const counted = () => db.query('SELECT bytes FROM storage_usage WHERE space_id = $1', [space])
  await first.discard(app.ctx)
  t.same(await counted(), [{ bytes: String(4 * KIB) }])
  await second.discard(app.ctx)
  t.same(await counted(), [])
  const third = await write()
  t.same(await counted(), [{ bytes: String(4 * KIB) }], 'the next one makes another')
  await db.query('UPDATE storage_usage SET max_bytes = 1 WHERE space_id = $1', [space])
  await third.discard(app.ctx)
  t.same(await counted(), [{ bytes: '0' }], 'a limit stays')
  await db.query('DELETE FROM users WHERE id = $1', [space])
  t.same(await counted(), [])
})

t.test('objects of another store are not removed from this one', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  await db.query('INSERT INTO storage_usage (space_id, bytes) VALUES ($1, 0)', [space])
  for (const [key, store] of [
    ['a'.repeat(32), 's3'],
    ['b'.repeat(32), 'local'],
  ]) {
    await db.query(
      `INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
       VALUES ($1, $2, $3, 4, 'doomed', now())`,
      [key, store, space],
    )
  }
  await sweep(app)
  t.match(await db.query('SELECT store FROM stored_objects'), [{ store: 's3' }])
})

t.test('what is given up is free at once, the oldest first, and is removed an hour later', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  const keys = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(32))
  const [second = '', first = '', renewed = '', kept = ''] = keys
  for (const [key, leaseMs] of [
    [second, -1000],
    [first, -2000],
    [renewed, -1000],
    [kept, -3000],
  ] as const)
    await queries.insertObject(app.db, { key, store: 'local', space, bytes: 10, leaseMs }, null)
  t.equal(await queries.renewObject(app.db, renewed, 60_000), true)
  await queries.keepObject(app.db, kept, 10)
  const doomed = () => db.query("SELECT key FROM stored_objects WHERE state = 'doomed' ORDER BY key DESC")
  const usage = () => queries.selectUsage(app.db, space)
  t.equal(await queries.doomExpired(app.db, 1), 1)
  t.strictSame([await doomed(), await usage()], [[{ key: first }], { bytes: 30, maxBytes: null }])
  t.equal(await queries.doomExpired(app.db, 9), 1)
  t.strictSame(
    [await doomed(), await usage()],
    [[{ key: first }, { key: second }], { bytes: 20, maxBytes: null }],
  )
  const removable = () => queries.selectRemovable(app.db, 'local', 9)
  t.strictSame(await removable(), [])
  const pass = (minutes: number) =>
    db.query("UPDATE stored_objects SET expires_at = expires_at - $1 * interval '1 minute'", [minutes])
  await pass(59)
  t.strictSame(await removable(), [])
  await pass(2)
  t.strictSame((await removable()).sort(), [second, first])
})

t.test('how much a space takes is limited by the service, or by an admin', async (t) => {
  const { app } = await borrowTestApp(t, { APP_ROLE: 'web' })
  let number = 0
  const take = (space: string, bytes: number, quota: number | null = 10) => {
    const key = String(++number).padStart(32, '0')
    return queries.insertObject(app.db, { key, store: 'local', space, bytes, leaseMs: 60_000 }, quota)
  }
  const plain = uuidv7()
  t.equal(await take(plain, 11), false)
  t.equal(await take(plain, 10), true, 'all of it')
  t.equal(await take(plain, 1), false)
  const replacing = { key: 'a'.repeat(32), store: 'local', space: plain, bytes: 1, leaseMs: 60_000 } as const
  const allowed = { quota: 10, replaced: String(number - 1).padStart(32, '0') }
  const isTaken = await queries.insertObjectUnflushed(app.db, replacing, allowed)
  t.equal(isTaken, false, 'no file has what it replaces')
  t.equal(await take(plain, 90, null), true, 'what is never refused')
  t.strictSame(await queries.selectUsage(app.db, plain), { bytes: 100, maxBytes: null })
  for (const [maxBytes, tooMany] of [
    [20, 21],
    [5, 6],
  ] as const) {
    const space = uuidv7()
    await queries.upsertLimit(app.db, space, maxBytes)
    t.strictSame(await queries.selectUsage(app.db, space), { bytes: 0, maxBytes })
    t.equal(await take(space, tooMany), false)
    t.equal(await take(space, maxBytes), true)
    t.equal(await take(space, 1), false)
    await queries.upsertLimit(app.db, space, null)
    t.strictSame(await queries.selectUsage(app.db, space), { bytes: maxBytes, maxBytes: null })
  }
})
