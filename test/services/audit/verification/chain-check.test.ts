import { randomBytes } from 'node:crypto'
import t from 'tap'
import { EntryMacs } from '#services/audit/macs.ts'
import { ChainCheck } from '#services/audit/verification/chain-check.ts'
import { commitmentOfFields, digestOfSealed, linkOf } from '#services/audit/verification/hashes.ts'
import type { Problem } from '#services/audit/verification/problems.ts'
import { type SealedRow, uuidText } from '#services/audit/verification/sealed-row.ts'

const ORG = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
const SEALS = 12
const macs = new EntryMacs(Buffer.alloc(32, 1))

type Row = { -readonly [K in keyof SealedRow]: SealedRow[K] }

/** The seals of a chain in which nothing is wrong. */
function chainOf(length: number, from = { seq: 0, hash: Buffer.alloc(32) }): Row[] {
  let previous = from.hash.toString('latin1')
  return Array.from({ length }, (_, index) => {
    const [canonical, personal] = [randomBytes(40), randomBytes(20)]
    const mac = macs.mark(canonical)
    const withMac = Buffer.concat([canonical, mac])
    const [seq, digest] = [from.seq + index + 1, digestOfSealed(withMac)]
    previous = linkOf(previous, seq, digest)
    const entry = { canonical, withMac, mac, commitment: commitmentOfFields(personal) }
    const [org, id] = [Buffer.alloc(16), randomBytes(16)]
    return { org, seq, id, digest, hash: previous, entry, personal, isOfActor: true }
  })
}

/** Returns the problems of some seals, without the sentences. */
function problemsOf(rows: readonly SealedRow[], options: { signedUpTo?: number; start?: number } = {}) {
  const { signedUpTo = 0, start = 0 } = options
  const check = new ChainCheck(ORG, {
    macs,
    signedUpTo,
    ...(start === 0 ? {} : { start: { seq: start, hash: Buffer.alloc(32) } }),
  })
  for (const row of rows) {
    check.checkLink(row)
    check.checkContents(row)
  }
  check.end()
  t.equal(check.seq, rows.at(-1)?.seq)
  return check.problems.map(({ detail: _detail, ...problem }) => problem)
}

type Found = Omit<Problem, 'detail'>
const at = (kind: Problem['kind'], { seq, id }: SealedRow): Found => {
  return { kind, org: ORG, seq, entry: uuidText(id) }
}

function rowOf(rows: readonly Row[], seq: number): Row {
  const row = rows.find((candidate) => candidate.seq === seq)
  if (row === undefined) throw new Error(`there is no seal ${seq}`)
  return row
}

/** An entry that somebody has written, with a mac of another key, and what seals it. */
function forge(rows: readonly Row[], seq: number): void {
  const row = rowOf(rows, seq)
  const { entry } = row
  if (entry === undefined) throw new Error('no entry')
  const mac = Buffer.concat([entry.mac.subarray(0, -1), Buffer.of((entry.mac.at(-1) ?? 0) ^ 1)])
  const withMac = Buffer.concat([entry.canonical, mac])
  row.entry = { ...entry, mac, withMac }
  row.digest = digestOfSealed(withMac)
  let previous =
    rows.find((candidate) => candidate.seq === seq - 1)?.hash ?? Buffer.alloc(32).toString('latin1')
  for (const later of rows.filter((candidate) => candidate.seq >= seq)) {
    later.hash = linkOf(previous, later.seq, later.digest)
    previous = later.hash
  }
}

/** Exchanges parts of two seals. */
function swap(rows: readonly Row[], one: number, other: number, parts: readonly (keyof Row)[]): void {
  const [a, b] = [rowOf(rows, one), rowOf(rows, other)]
  const [ofA, ofB] = [{ ...a }, { ...b }]
  for (const part of parts) {
    Object.assign(a, { [part]: ofB[part] })
    Object.assign(b, { [part]: ofA[part] })
  }
}

const CONTENTS = ['id', 'digest', 'entry', 'personal'] as const

/** Ways to change a chain of twelve seals, each with all that is to be found. */
const WAYS: Readonly<Record<string, (rows: Row[]) => Found[]>> = {
  'nothing is done': () => [],
  'an entry is gone'(rows) {
    rowOf(rows, 5).entry = undefined
    return [at('entry_deleted', rowOf(rows, 5))]
  },
  'entries are others'(rows) {
    for (const seq of [9, 3]) {
      const { entry } = rowOf(rows, seq)
      if (entry !== undefined) rowOf(rows, seq).entry = { ...entry, withMac: randomBytes(60) }
    }
    return [3, 9].map((seq) => at('entry_changed', rowOf(rows, seq)))
  },
  'personal data are erased'(rows) {
    Object.assign(rowOf(rows, 5), { personal: undefined, isOfActor: false })
    return []
  },
  'personal data are others'(rows) {
    rowOf(rows, 5).personal = randomBytes(20)
    return [at('personal_data_changed', rowOf(rows, 5))]
  },
  'personal data are kept as those of somebody else'(rows) {
    rowOf(rows, 12).isOfActor = false
    return [at('personal_data_changed', rowOf(rows, 12))]
  },
  'an entry is forged, and the chain made to fit'(rows) {
    forge(rows, 7)
    return [at('entry_forged', rowOf(rows, 7))]
  },
  'a seal is gone'(rows) {
    rows.splice(4, 1)
    return [{ kind: 'seals_deleted', org: ORG, seq: 5, last: 5 }]
  },
  'some seals are gone, and one after them is another'(rows) {
    rows.splice(2, 3)
    rowOf(rows, 8).hash = randomBytes(32).toString('latin1')
    return [{ kind: 'seals_deleted', org: ORG, seq: 3, last: 5 }, at('seal_changed', rowOf(rows, 8))]
  },
  'the first seals are gone'(rows) {
    rows.splice(0, 4)
    return [{ kind: 'seals_deleted', org: ORG, seq: 1, last: 4 }]
  },
  'hashes of seals are others'(rows) {
    for (const seq of [2, 6, 7]) rowOf(rows, seq).hash = randomBytes(32).toString('latin1')
    return [2, 6, 7].map((seq) => at('seal_changed', rowOf(rows, seq)))
  },
  'two seals that are neighbours have changed places'(rows) {
    swap(rows, 4, 5, [...CONTENTS, 'hash'])
    return [{ ...at('swapped', rowOf(rows, 4)), last: 5 }]
  },
  'two seals have changed places, and another is changed'(rows) {
    swap(rows, 4, 9, [...CONTENTS, 'hash'])
    rowOf(rows, 7).hash = randomBytes(32).toString('latin1')
    return [{ ...at('swapped', rowOf(rows, 4)), last: 9 }, at('seal_changed', rowOf(rows, 7))]
  },
  'two seals have changed places without their hashes'(rows) {
    swap(rows, 2, 11, CONTENTS)
    return [{ ...at('swapped', rowOf(rows, 2)), last: 11 }]
  },
  'two entries have changed places'(rows) {
    swap(rows, 3, 8, ['id', 'entry', 'personal'])
    return [{ ...at('swapped', rowOf(rows, 3)), last: 8 }]
  },
  'of three entries each is in the place of another'(rows) {
    swap(rows, 3, 8, ['entry', 'personal'])
    swap(rows, 8, 10, ['entry', 'personal'])
    return [3, 8, 10].map((seq) => at('entry_changed', rowOf(rows, seq)))
  },
}

t.test('of a chain everything is named that is wrong, with its place, and nothing else', async (t) => {
  for (const [name, change] of Object.entries(WAYS)) {
    const rows = chainOf(SEALS)
    t.strictSame(change(rows), problemsOf(rows), name)
  }
})

t.test('a chain is checked from where it begins', async (t) => {
  const rows = chainOf(SEALS, { seq: 100, hash: Buffer.alloc(32) })
  t.strictSame(problemsOf(rows, { start: 100 }), [])
  t.strictSame(problemsOf(rows), [{ kind: 'seals_deleted', org: ORG, seq: 1, last: 100 }])
  t.strictSame(problemsOf(rows.slice(1), { start: 100 }), [
    { kind: 'seals_deleted', org: ORG, seq: 101, last: 101 },
  ])
})

t.test('macs are checked of what is under no signature', async (t) => {
  const rows = chainOf(SEALS)
  forge(rows, 7)
  t.strictSame(problemsOf(rows, { signedUpTo: 6 }), [at('entry_forged', rowOf(rows, 7))])
  t.strictSame(problemsOf(rows, { signedUpTo: 7 }), [])
})

t.test('of many entries that are others each is named; the first two hundred are compared', async (t) => {
  const rows = chainOf(210)
  swap(rows, 1, 200, ['entry', 'personal'])
  swap(rows, 2, 201, ['entry', 'personal'])
  for (const row of rows)
    if (row.entry !== undefined && ![1, 2, 200, 201].includes(row.seq))
      row.entry = { ...row.entry, withMac: randomBytes(60) }
  const expected = rows.filter(({ seq }) => seq !== 1 && seq !== 200).map((row) => at('entry_changed', row))
  t.strictSame(problemsOf(rows), [{ ...at('swapped', rowOf(rows, 1)), last: 200 }, ...expected])
})
