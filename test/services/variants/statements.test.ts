import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import * as storage from '#services/storage/queries.ts'
import * as queries from '#services/variants/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const MINUTE_MS = 60_000

t.test('a statement is about one copy of one image, which is being made', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [image, other, copy] = ['1'.repeat(32), '2'.repeat(32), '3'.repeat(32)] as const
  for (const key of [image, other, copy]) {
    const object = { key, store: 'local', space: uuidv7(), bytes: 1, leaseMs: MINUTE_MS } as const
    await storage.insertObject(app.db, object, null)
  }
  const made = { variant_key: copy, media_type: 'image/webp', size: 1, sha256: Buffer.alloc(32) }
  const target = { key: image, name: 'thumbnail' } as const
  const beside = [
    { key: image, name: 'preview' },
    { key: other, name: 'thumbnail' },
  ] as const
  const states = async () => {
    const rows = await Promise.all([target, ...beside].map((one) => queries.selectVariant(app.db, one)))
    return rows.map((row) => row?.state)
  }
  const begin = async () => {
    await db.query('DELETE FROM object_variants')
    for (const one of [beside[0], target, beside[1]])
      t.equal(await queries.insertVariant(app.db, one, MINUTE_MS), true)
  }
  const wait = (seconds: number) =>
    db.query("UPDATE object_variants SET updated_at = now() - $1 * interval '1 second'", [seconds])

  await begin()
  await wait(59)
  t.equal(await queries.insertVariant(app.db, target, MINUTE_MS), false, 'it is being made')
  await wait(61)
  t.equal(await queries.insertVariant(app.db, target, MINUTE_MS), true, 'its job was lost')
  t.equal(await queries.insertVariant(app.db, target, MINUTE_MS), false, 'it was asked for a moment ago')

  await queries.markImpossible(app.db, target)
  t.strictSame(await states(), ['impossible', 'making', 'making'])
  t.equal(await queries.updateMade(app.db, target, made), false)
  await wait(61)
  t.equal(await queries.insertVariant(app.db, target, MINUTE_MS), false)
  t.strictSame(await states(), ['impossible', 'making', 'making'])

  await begin()
  t.equal(await queries.updateMade(app.db, target, made), true)
  t.strictSame(await states(), ['made', 'making', 'making'])
  t.equal(await queries.updateMade(app.db, target, made), false, 'it was made before')
  await queries.markImpossible(app.db, target)
  t.strictSame(await states(), ['made', 'making', 'making'])
  t.match(await queries.selectVariant(app.db, target), { ...made, size: '1' })
})
