import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/audit/reading/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { hashOf, idOf, numberOf, writeChains } from '../rows.ts'

/** Numbers of entries: before the one, and from the other on. */
type Range = [before?: number, from?: number]

const rangeOf = (...range: Range) => {
  const [before = null, from = null] = range.map((number) => (number === undefined ? null : idOf(number)))
  return { before, from }
}

t.test('statements of who reads the log', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const system = new SystemDatabase(app.db)
  const rows = await writeChains(db)
  const of = (org: number) => new OrgDatabase(app.db, idOf(org))
  await rows.entries(1, [1, 2, 3, 4])
  await rows.personal(1, [1, 2, 3, 4], uuidv7())
  await rows.entries(3, [1, 2])
  await rows.entries(1, [5, 6, 7], { table: 'audit_intake' })

  await t.test('entries, the newest first, those that are filed and those that wait', async (t) => {
    const page = (limit: number, ...range: Range) =>
      queries.selectEntries(of(1), { limit, ...rangeOf(...range) })
    const numbers = async (...asked: Parameters<typeof page>) =>
      (await page(...asked)).map(({ id }) => numberOf(id))
    t.strictSame(await numbers(2), [7, 6])
    t.strictSame(await numbers(5), [7, 6, 5, 4, 3])
    t.strictSame(await numbers(9), [7, 6, 5, 4, 3, 2, 1])
    t.strictSame(await numbers(2, 5), [4, 3])
    t.strictSame(await numbers(9, 7, 3), [6, 5, 4, 3])
    t.match(await page(1, 3), [{ ip: '192.0.2.2', seq: 2 }])
    t.match(await page(1), [{ ip: null, seq: null }])
  })

  await t.test('one entry, with its seal and its personal data', async (t) => {
    t.match(await queries.selectEntry(of(1), idOf(2)), { id: idOf(2), ip: '192.0.2.2', hash: hashOf(2) })
    t.match(await queries.selectEntry(of(3), idOf(2)), { id: idOf(2), ip: null, hash: hashOf(2) })
    t.equal(await queries.selectEntry(of(3), idOf(3)), undefined)
  })

  await t.test('acts of one admin, in all logs', async (t) => {
    await rows.entries(2, [11, 13, 15], { actor: ['admin', 'one'] })
    await rows.entries(2, [12], { actor: ['admin', 'two'] })
    await rows.entries(2, [14], { actor: ['admin', 'one'], table: 'audit_intake' })
    const page = async (limit: number, ...range: Range) => {
      const asked = { admin: 'one', limit, ...rangeOf(...range) }
      return (await queries.selectEntriesOfAdmin(system, asked)).map(({ id }) => numberOf(id))
    }
    t.strictSame(await page(9), [15, 14, 13, 11])
    t.strictSame(await page(2), [15, 14])
    t.strictSame(await page(9, 15, 13), [14, 13])
  })

  await t.test('the first head that covers a seal', async (t) => {
    const covering = async (org: number, seq: number) => {
      const found = await queries.selectCoveringHead(of(org), seq)
      return found && [found.checkpoint, found.seq, found.note]
    }
    t.strictSame(await covering(1, 1), [1, 2, 'note 1'])
    t.strictSame(await covering(1, 2), [1, 2, 'note 1'])
    t.strictSame(await covering(1, 3), [2, 3, 'note 2'])
    t.equal(await covering(1, 5), undefined)
    t.equal(await covering(5, 1), undefined)
  })

  await t.test('seals, cuts, leaves and the end of a chain', async (t) => {
    const seal = (seq: number) => ({ seq, digest: hashOf(seq), hash: hashOf(seq) })
    t.strictSame(await queries.selectSeals(of(1), 2, 3), [seal(2), seal(3)])
    t.strictSame(await queries.selectCutHash(of(3), 2), hashOf(2))
    t.equal(await queries.selectCutHash(of(3), 3), undefined)
    t.equal(await queries.selectCutHash(of(1), 2), undefined)
    t.strictSame(await queries.selectLeaves(system, 1), [
      { org: idOf(1), seq: 2, hash: hashOf(2) },
      { org: idOf(2), seq: 2, hash: hashOf(1) },
      { org: idOf(4), seq: 7, hash: hashOf(7) },
    ])
    t.strictSame(await queries.selectHead(of(1)), { seq: 4, hash: hashOf(4), checkpoint: 'note 3' })
    t.strictSame(await queries.selectHead(of(5)), { seq: 2, hash: hashOf(2), checkpoint: null })
    t.strictSame(await queries.selectHead(of(9)), { seq: 0, hash: null, checkpoint: null })
  })
})
