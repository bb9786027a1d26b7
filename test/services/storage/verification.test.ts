import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { inventory, setStore, someKept } from '#services/storage/inventory.ts'
import { faultOf, findLeftovers, verifyStore } from '#services/storage/verification.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const CONTENT = 'a content'

/** A store of the test's own, and a database that says of it that one person's files have these contents. */
async function start(t: Test, contents: readonly string[]) {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const space = (await signUp()).user.id
  // Not the application's, which tests that run at the same time have too.
  const store = new LocalStore(t.testdir())
  const put = async (key: string, text: string) => {
    await store.remove(key)
    await store.write(key, Readable.from([Buffer.from(text)]))
  }
  const keys: string[] = []
  for (const content of contents) {
    const key = randomBytes(16).toString('hex')
    await put(key, content)
    await db.query(
      `WITH made AS (
         INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
         VALUES ($2, 'local', $1, 4096, 'kept', now()) RETURNING key)
       INSERT INTO files (space_id, id, user_id, purpose, name, key, media_type, size, sha256, written_at)
       SELECT $1, gen_random_uuid(), $1, 'attachment', 'one', key, 'text/plain', $3, $4, now() FROM made`,
      [space, key, content.length, createHash('sha256').update(content).digest()],
    )
    keys.push(key)
  }
  return { db, system: new SystemDatabase(app.db), space, store, keys, put }
}

/** The same store, but for some of what it does. */
function storeBut(store: ObjectStore, other: Partial<Pick<ObjectStore, 'list' | 'size' | 'read'>>) {
  const own: Pick<ObjectStore, 'list' | 'size' | 'read'> = {
    list: () => store.list(),
    size: (key) => store.size(key),
    read: (key, range) => store.read(key, range),
  }
  return {
    kind: store.kind,
    largestAppended: store.largestAppended,
    write: store.write.bind(store),
    resume: store.resume.bind(store),
    remove: store.remove.bind(store),
    ...{ locate: undefined, handOver: undefined, direct: undefined },
    ...own,
    ...other,
  }
}

t.test('what is missing, damaged or left over in the store', async (t) => {
  const test = await start(t, [CONTENT, CONTENT, CONTENT, CONTENT, CONTENT])
  const { db, system, space, store, put } = test
  const [good = '', gone = '', short = '', long = '', other = ''] = test.keys
  const whole = await verifyStore(system, store, { digests: true })
  t.strictSame(whole, { objects: 5, bytes: 5 * CONTENT.length, faults: [], leftovers: [] })

  await store.remove(gone)
  await put(short, 'short')
  await put(long, `${CONTENT}, and more`)
  await put(other, 'b content')
  // A copy of an image, an object that nobody has yet, and two that no row names.
  const [copy, doomed, unfinished] = ['c'.repeat(32), 'd'.repeat(32), 'e'.repeat(32)]
  const nobodys = ['f'.repeat(32), '0'.repeat(32)]
  for (const key of [copy, doomed, unfinished, ...nobodys]) await put(key, 'the copy')
  for (const [key, state] of [
    [copy, 'kept'],
    [doomed, 'doomed'],
    [unfinished, 'writing'],
  ])
    await db.query(
      `INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
       VALUES ($1, 'local', $2, 8, $3, now())`,
      [key, space, state],
    )
  await db.query(
    `INSERT INTO object_variants (key, name, state, variant_key, media_type, size, sha256)
     VALUES ($1, 'small', 'made', $2, 'image/webp', 8, $3)`,
    [good, copy, createHash('sha256').update('the copy').digest()],
  )
  const faults = [
    { key: gone, kind: 'missing', detail: 'of 9 bytes' },
    { key: short, kind: 'damaged', detail: '5 bytes in place of 9' },
    { key: long, kind: 'damaged', detail: '19 bytes in place of 9' },
  ]
  const sorted = (all: readonly { key: string }[]) => all.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const found = { objects: 6, bytes: 53, leftovers: nobodys.toReversed() }
  t.strictSame(await verifyStore(system, store, { digests: false }), { ...found, faults: sorted(faults) })
  const digested = await verifyStore(system, store, { digests: true })
  const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
  const changed = {
    key: other,
    kind: 'damaged',
    detail: `${other} has the SHA-256 ${digestOf('b content')}, and should have ${digestOf(CONTENT)}.`,
  }
  t.strictSame(digested, { ...found, faults: sorted([...faults, changed]) })
})

t.test('what is removed while it is looked at is not told as a fault', async (t) => {
  const { db, system, store, keys, put } = await start(t, [CONTENT, CONTENT])
  const [removed = '', lost = ''] = keys
  for (const key of keys) await store.remove(key)
  const looked = storeBut(store, {
    async size(key) {
      if (key === removed) await db.query("UPDATE stored_objects SET state = 'doomed' WHERE key = $1", [key])
      return store.size(key)
    },
  })
  t.match((await verifyStore(system, looked, { digests: false })).faults, [{ key: lost }])
  t.equal((await verifyStore(system, store, { digests: false })).faults.length, 1)

  // Gone between the look at its size and that at its bytes.
  const [kept] = await someKept(system, '', 1)
  if (kept === undefined) throw new Error('there is no content')
  const going = storeBut(store, { size: async () => kept.size })
  t.strictSame(await faultOf(going, kept, true), { key: lost, kind: 'missing', detail: 'of 9 bytes' })
  t.equal(await faultOf(going, kept, false), undefined)
  const broken = storeBut(going, { read: () => Promise.reject(new Error('the disk is broken')) })
  await t.rejects(faultOf(broken, kept, true), { message: 'the disk is broken' })

  // One that was being removed is not there the second time.
  const [stays, goes] = ['1'.repeat(32), '2'.repeat(32)]
  for (const key of [stays, goes]) await put(key, 'x')
  let lists = 0
  const removing = storeBut(store, {
    async *list() {
      if (++lists === 2) await store.remove(goes)
      yield* store.list()
    },
  })
  t.strictSame(await findLeftovers(system, removing), [stays])
  t.equal(lists, 2)
  t.strictSame(await findLeftovers(system, store), [stays])
})

t.test('more than the database is asked about at once', async (t) => {
  const { db, system, space, store } = await start(t, [CONTENT])
  const amount = 2001
  await db.query(
    `WITH made AS (
       INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
       SELECT lpad(to_hex(n), 32, '0'), 's3', $1, 0, 'kept', now() FROM generate_series(1, $2) n RETURNING key)
     INSERT INTO files (space_id, id, user_id, purpose, name, key, media_type, size, sha256, written_at)
     SELECT $1, gen_random_uuid(), $1, 'file', 'many', key, 'text/plain', 1, sha256(''), now() FROM made`,
    [space, amount],
  )
  const keys: string[] = []
  for await (const { key } of inventory(system)) keys.push(key)
  t.equal(new Set(keys).size, amount + 1)
  t.strictSame(keys, keys.toSorted())
  const found = await verifyStore(system, store, { digests: false })
  t.equal(found.objects, amount + 1)
  t.strictSame(
    found.faults.map(({ key }) => key),
    Array.from({ length: amount }, (_, n) => (n + 1).toString(16).padStart(32, '0')),
  )
  const strange = Array.from({ length: amount }, (_, n) => `f${n.toString(16).padStart(31, '0')}`)
  const list = async function* () {
    yield* [...keys, ...strange]
  }
  t.strictSame(await findLeftovers(system, storeBut(store, { list })), strange)

  const stores = () => db.query('SELECT store, count(*)::int FROM stored_objects GROUP BY 1 ORDER BY 1')
  t.same(await stores(), [
    { store: 'local', count: 1 },
    { store: 's3', count: amount },
  ])
  await setStore(system, 's3')
  t.same(await stores(), [{ store: 's3', count: amount + 1 }])
})
