import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'
import { readSealedRow, type SealedRow, uuidText } from './sealed-row.ts'

/** Rows that one statement reads: some tenths of a second. */
const BATCH_ROWS = 50_000

/** Reads the seals of some chains with what they seal, in their order, and hands each over. */
export async function readSeals(
  db: Database,
  chains: readonly queries.ChainPosition[],
  onRow: (org: string, row: SealedRow) => void,
): Promise<void> {
  let rest = [...chains].sort((a, b) => (a.org < b.org ? -1 : 1))
  while (rest.length > 0) {
    const { rows, org, seq } = await readBatch(db, rest, onRow)
    if (rows < BATCH_ROWS) return
    rest = rest.filter((chain) => chain.org >= org)
    rest = rest.map((chain) => (chain.org === org ? { org, after: seq } : chain))
  }
}

async function readBatch(
  db: Database,
  chains: readonly queries.ChainPosition[],
  onRow: (org: string, row: SealedRow) => void,
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
