import t from 'tap'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/audit/verification/queries.ts'
import { readSealedRow, uuidText } from '#services/audit/verification/sealed-row.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { hashOf, idOf, numberOf, timeOf, writeChains } from '../rows.ts'

t.test('statements of who verifies the log', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const system = new SystemDatabase(app.db)
  const rows = await writeChains(db)

  await t.test('chains, each with its last cut and the last head by a time', async (t) => {
    const chains = async (since: Date | null, after: number | null = null, limit = 9) => {
      const asked = { after: after === null ? null : idOf(after), limit, since }
      return (await queries.selectChains(system, asked)).map(({ org, cut, cutHash, known, knownHash }) => [
        numberOf(org),
        cut && Number(cut),
        cutHash?.[0],
        known && Number(known),
        knownHash?.[0],
      ])
    }
    const [never, unknown] = [
      [null, undefined],
      [null, undefined],
    ] as const
    const at2 = [
      [1, ...never, 3, 3],
      [2, ...never, 2, 1],
      [3, 2, 2, 1, 1],
      [5, ...never, ...unknown],
      [6, ...never, ...unknown],
    ]
    t.strictSame(await chains(timeOf(2)), at2)
    t.strictSame(await chains(timeOf(2), 1), at2.slice(1))
    t.strictSame(await chains(timeOf(2), null, 2), at2.slice(0, 2))
    t.strictSame(await chains(timeOf(1), null, 1), [[1, ...never, 2, 2]])
    t.strictSame(await chains(null, 2, 1), [[3, 2, 2, ...unknown]])
    t.strictSame(await chains(null, 6), [])
  })

  await t.test('ends, and those that are under no checkpoint and forgotten', async (t) => {
    const orgs = [1, 2, 3, 4, 5, 6].map(idOf)
    const ends = await queries.selectEnds(system, orgs.slice(0, 4))
    t.strictSame([...ends].map(([org, seq]) => [numberOf(org), seq]).sort(), [
      [1, 4],
      [2, 3],
      [3, 2],
    ])
    const uncovered = async () =>
      (await queries.selectUncovered(system, orgs))
        .map(({ org, covered, end }) => [numberOf(org), covered, end])
        .sort()
    const forgotten = [
      [2, 2, 3],
      [5, 0, 2],
    ]
    t.strictSame(await uncovered(), forgotten)
    await db.querySuper('DELETE FROM audit_growth')
    t.strictSame(await uncovered(), [forgotten[0], [3, 1, 2], forgotten[1], [6, 0, 1]])
  })

  await t.test('checkpoints in their order, and what chains have in place of their heads', async (t) => {
    const page = async (after: number, limit: number) =>
      (await queries.selectCheckpoints(system, after, limit)).map(({ number }) => number)
    t.strictSame(
      [await page(0, 9), await page(1, 9), await page(0, 2)],
      [
        [1, 2, 3],
        [2, 3],
        [1, 2],
      ],
    )
    t.strictSame(await queries.selectCheckpointHeads(system, 1), [
      { org: idOf(1), seq: 2, hash: hashOf(2), found: hashOf(2) },
      { org: idOf(2), seq: 2, hash: hashOf(1), found: hashOf(2) },
      { org: idOf(4), seq: 7, hash: hashOf(7), found: null },
    ])
    t.strictSame(
      (await queries.selectCuts(system)).map(({ org, seq }) => [numberOf(org), seq]),
      [
        [3, 1],
        [3, 2],
      ],
    )
  })

  await t.test('entries that are neither sealed nor wait, and those that wait and are gone', async (t) => {
    await rows.entries(1, [1, 2, 3, 4, 5, 6, 7])
    await rows.entries(3, [1, 2, 6])
    await rows.pending(1, [5])
    await rows.pending(1, [7], true)
    await rows.pending(3, [8])
    const stray = async (org: number | null, limit = 9) =>
      (await queries.selectStrayEntries(system, org === null ? null : idOf(org), limit))
        .map(({ org: of, id, entry }) => [numberOf(of), numberOf(id), entry !== undefined])
        .sort()
    const all = [
      [1, 6, true],
      [1, 7, true],
      [3, 6, true],
      [3, 8, false],
    ]
    t.strictSame(await stray(null), all)
    t.strictSame(await stray(1), all.slice(0, 2))
    t.strictSame(await stray(3), all.slice(2))
    t.equal((await stray(null, 3)).length, 3)
  })

  await t.test('seals come with their entries, from anywhere in a chain', async (t) => {
    await rows.seals(7, 200)
    await rows.entries(
      7,
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
    await rows.seals(8, 3)
    await rows.entries(8, [1, 2, 3])
    const [long, short] = [idOf(7), idOf(8)]
    const read = async (copy: (db: SystemDatabase, onCopied: (message: Buffer) => void) => Promise<void>) => {
      const found: unknown[] = []
      await system.transaction(async (tx) => {
        await queries.beginReading(tx)
        await copy(tx, (message) => {
          const row = readSealedRow(message)
          if (row) found.push([numberOf(uuidText(row.org)), row.seq, row.entry !== undefined])
        })
      })
      return found
    }
    const windows = (...positions: queries.ChainPosition[]) =>
      read((tx, onCopied) => queries.copySeals(tx, positions, onCopied))
    const [none, some] = [
      { org: short, after: 0, rows: 2 },
      { org: long, after: 0, rows: 2 },
    ]
    t.strictSame(await windows(some, none), [
      [7, 1, true],
      [7, 2, true],
      [8, 1, true],
      [8, 2, true],
    ])
    t.strictSame(await windows({ ...none, after: 2 }, { ...some, after: 150 }), [
      [8, 3, true],
      [7, 151, true],
      [7, 152, true],
    ])
    const places = [
      { org: long, seq: 190 },
      { org: short, seq: 3 },
      { org: short, seq: 4 },
    ]
    t.strictSame((await read((tx, onCopied) => queries.copySealsAt(tx, places, onCopied))).sort(), [
      [7, 190, true],
      [8, 3, true],
    ])
  })
})
