import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'
import { readSealedRow, type SealedRow, uuidText } from './sealed-row.ts'

/** Rows that one statement reads: some tenths of a second. */
const BATCH_ROWS = 50_000

type OnRow = (org: string, row: SealedRow) => void

/** Reads the seals of some chains with what they seal, in their order, and hands each over. */
export async function readSeals(
  db: Database,
  chains: readonly queries.ChainPosition[],
  onRow: OnRow,
): Promise<void> {
  const ends = await queries.selectEnds(
    new SystemDatabase(db),
    chains.map(({ org }) => org),
  )
  const sorted = chains.toSorted((a, b) => (a.org < b.org ? -1 : 1))
  const sized = sorted.map((chain) => ({ ...chain, rows: (ends.get(chain.org) ?? 0) - chain.after }))
  for (const batch of batchesOf(sized)) {
    let rest: readonly queries.ChainPosition[] = batch
    while (rest.length > 0) {
      const { rows, org, seq } = await readBatch(db, rest, onRow)
      // A long chain is alone in its batch.
      rest = batch.length === 1 && rows === BATCH_ROWS ? [{ org, after: seq }] : []
    }
  }
}

/** Puts short chains together until a batch is full. A number that somebody made up costs a batch, and no more. */
function batchesOf<C extends { readonly rows: number }>(chains: readonly C[]): C[][] {
  const batches: C[][] = []
  let free = 0
  for (const chain of chains) {
    const last = batches.at(-1)
    if (last === undefined || chain.rows > free) batches.push([chain])
    else last.push(chain)
    free = (last === undefined || chain.rows > free ? BATCH_ROWS : free) - chain.rows
  }
  return batches
}

async function readBatch(
  db: Database,
  chains: readonly queries.ChainPosition[],
  onRow: OnRow,
): Promise<{ rows: number; org: string; seq: number }> {
  let [rows, org, seq, orgBytes] = [0, '', 0, Buffer.alloc(0)]
  await new SystemDatabase(db).transaction(async (tx) => {
    await queries.beginReading(tx)
    await queries.copySeals(tx, chains, BATCH_ROWS, (message) => {
      const row = readSealedRow(message)
      if (row === undefined) return
      if (!row.org.equals(orgBytes)) {
        orgBytes = Buffer.from(row.org)
        org = uuidText(row.org)
      }
      rows += 1
      seq = row.seq
      onRow(org, row)
    })
  })
  return { rows, org, seq }
}
