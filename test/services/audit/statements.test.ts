import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/audit/queries.ts'
import * as intake from '#services/audit/queries-of-intake.ts'
import { borrowTestApp, deleteAllRows } from '#test/support/borrow.ts'
import { auditRows, hashOf, idOf, numberOf, timeOf, writeChains } from './rows.ts'

const [OWN, OTHER] = [Buffer.alloc(8, 1), Buffer.alloc(8, 2)]
const marked = (key: Buffer) => Buffer.concat([key, Buffer.alloc(32)])

t.test('statements of who seals, signs and cuts', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const system = new SystemDatabase(app.db)
  const rows = auditRows(db)
  const chain = (org: number, seq: number) => ({ org: idOf(org), seq, hash: hashOf(seq) })
  const left = async (table: string, column = 'entry_id') =>
    (
      await db.querySuper<{ org: string; id: string }>(
        `SELECT org_id AS org, ${column}::text AS id FROM ${table} ORDER BY 1, 2`,
      )
    ).map(({ org, id }) => [numberOf(org), numberOf(id)])
  t.afterEach(() => deleteAllRows(db))

  await t.test('ends, growth and checkpoints are the last ones', async (t) => {
    await writeChains(db)
    t.strictSame(await queries.selectHeads(system, [1, 3, 4].map(idOf)), [chain(1, 4), chain(3, 2)])
    const grown = [
      { org: idOf(1), start: 4, startHash: hashOf(4) },
      { org: idOf(3), start: 1, startHash: hashOf(1) },
      { org: idOf(6), start: 0, startHash: null },
    ]
    t.strictSame(await queries.selectGrowth(system, 9), grown)
    t.strictSame(await queries.selectGrowth(system, 2), grown.slice(0, 2))
    t.match(await queries.selectLastCheckpoint(system), { number: 3, note: 'note 3' })
  })

  await t.test('what can be cut off ends before the end, at a head that is its own', async (t) => {
    await writeChains(db)
    const cuttable = async (options: Partial<Parameters<typeof queries.selectCuttable>[1]> = {}) =>
      queries.selectCuttable(system, { before: timeOf(9), after: null, org: null, limit: 9, ...options })
    t.strictSame(await cuttable(), [chain(1, 3), chain(3, 1)])
    t.strictSame(await cuttable({ before: timeOf(2) }), [chain(1, 2)])
    t.strictSame(await cuttable({ before: timeOf(1) }), [])
    t.strictSame(await cuttable({ after: idOf(1) }), [chain(3, 1)])
    t.strictSame(await cuttable({ org: idOf(3) }), [chain(3, 1)])
    t.strictSame(await cuttable({ limit: 1 }), [chain(1, 3)])
  })

  await t.test('a beginning is deleted up to its last seal, of the one chain', async (t) => {
    await writeChains(db)
    for (const [org, last] of [
      [1, 4],
      [3, 2],
    ] as const) {
      const numbers = Array.from({ length: last }, (_, index) => index + 1)
      await rows.entries(org, numbers)
      await rows.personal(org, numbers, uuidv7())
    }
    const deleted = system.transaction(async (tx) => {
      await queries.allowCut(tx)
      return queries.deleteBeginning(tx, idOf(1), 2)
    })
    t.equal(await deleted, 2)
    const rest = [
      [1, 3],
      [1, 4],
      [3, 1],
      [3, 2],
    ]
    t.strictSame(await left('audit_entries', 'id'), rest)
    t.strictSame(await left('audit_personal'), rest)
    t.strictSame(
      (await left('audit_seals')).filter(([org]) => org === 1 || org === 3),
      rest,
    )
  })

  await t.test('personal data of one person is deleted, some at a time', async (t) => {
    const [user, other] = [uuidv7(), uuidv7()]
    await rows.personal(1, [1, 2, 3], user)
    await rows.personal(1, [4], other)
    for (const count of [2, 1, 0]) t.equal(await queries.deletePersonalData(system, user, 2), count)
    t.strictSame(await left('audit_personal'), [[1, 4]])
  })

  await t.test('entries wait in the intake, or filed, unless they are refused', async (t) => {
    t.equal(await queries.someWait(system), false)
    await rows.pending(1, [1], true)
    t.equal(await queries.someWait(system), false)
    await rows.pending(1, [2])
    t.equal(await queries.someWait(system), true)
    await queries.deletePending(system, [{ org: idOf(1), id: idOf(2) }])
    t.strictSame(await left('audit_pending'), [[1, 1]])
    t.equal(await queries.someWait(system), false)
    await rows.entries(1, [3, 4], { table: 'audit_intake' })
    t.equal(await queries.someWait(system), true)
  })

  await t.test('entries are taken that were marked by a known key, or by none', async (t) => {
    const macs = [Buffer.alloc(7), OTHER, marked(OWN), marked(OTHER), marked(OWN)]
    for (const [index, mac] of macs.entries()) {
      await rows.entries(1, [index + 11], { mac })
      await rows.entries(2, [index + 11], { mac, table: 'audit_intake' })
    }
    await rows.pending(1, [11, 12, 13, 14, 16])
    await rows.pending(1, [15], true)
    const pending = async (limit: number) =>
      (await queries.selectPending(system, limit, [OWN])).map(({ id, mac }) => [numberOf(id), mac])
    const waiting = [
      [11, Buffer.alloc(7)],
      [13, marked(OWN)],
      [16, undefined],
    ]
    t.strictSame(await pending(9), waiting)
    t.strictSame(await pending(2), waiting.slice(0, 2))

    const filed = await system.transaction(async (tx) => {
      await queries.lockSealing(tx)
      return intake.fileEntries(tx, 9, [OWN])
    })
    t.strictSame(
      filed.map(({ id, mac }) => [numberOf(id), mac]),
      [
        [11, Buffer.alloc(7)],
        [13, marked(OWN)],
        [15, marked(OWN)],
      ],
    )
    t.strictSame(await left('audit_intake', 'id'), [
      [2, 12],
      [2, 14],
    ])
  })

  await t.test('the status is about the oldest that waits, and counts up to a thousand', async (t) => {
    const status = async () => {
      const { pendingAge, ...others } = await queries.selectStatus(system)
      return { hundreds: Math.floor(pendingAge / 100), ...others }
    }
    const nothing = { hundreds: 0, refused: 0, newAge: null, allAge: null, problems: 0 }
    t.strictSame(await status(), nothing)
    t.equal((await queries.selectStatus(system)).pendingAge, 0)
    await rows.entries(1, [31], { table: 'audit_intake', ageSeconds: 300 })
    await rows.entries(1, [32], { table: 'audit_intake', ageSeconds: 100 })
    t.strictSame(await status(), { ...nothing, hundreds: 3 })
    await rows.entries(1, [20], { ageSeconds: 9000 })
    await rows.entries(1, [21], { ageSeconds: 2000 })
    await rows.entries(1, [22], { ageSeconds: 1000 })
    await rows.pending(1, [20], true)
    await rows.pending(1, [21, 22])
    t.strictSame(await status(), { ...nothing, hundreds: 20, refused: 1 })
    await rows.pending(
      2,
      Array.from({ length: 1000 }, (_, index) => index),
      true,
    )
    t.strictSame(await status(), { ...nothing, hundreds: 20, refused: 1000 })
    const ago = (seconds: number) => new Date(app.ctx.now().getTime() - seconds * 1000)
    await queries.upsertVerification(system, { kind: 'new', at: ago(500), entries: 1, problems: 2 })
    await queries.upsertVerification(system, { kind: 'all', at: ago(700), entries: 1, problems: 3 })
    const { newAge, allAge, problems } = await status()
    t.strictSame(
      [newAge, allAge].map((age) => Math.floor((age ?? 0) / 100)),
      [5, 7],
    )
    t.equal(problems, 5)
  })
})
