import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'
import { readSealedRow, type SealedRow, uuidText } from './sealed-row.ts'

/** Rows that one statement reads: what is joined and sorted then stays in the processor's cache. */
const BATCH_ROWS = 4000
/** Batches that are read at once: PostgreSQL makes one while the hashes of the other are computed. */
const LANES = 2

/** Is shown the seals of chains. The bytes of a row are valid until it returns. */
export interface SealVisitor {
  /** Called for each seal, in the order of its chain. */
  seal(org: string, row: SealedRow): void
  /** Called for each seal with what it seals, after `seal`, perhaps later and in any order. */
  contents(org: string, row: SealedRow): void
}

/** Where to begin with a chain. */
interface Start {
  readonly org: string
  readonly after: number
}

/** Reads the seals of some chains with what they seal, and shows each. */
export async function readSeals(db: Database, chains: readonly Start[], visitor: SealVisitor): Promise<void> {
  const ends = await queries.selectEnds(
    new SystemDatabase(db),
    chains.map(({ org }) => org),
  )
  const sorted = chains.toSorted((a, b) => (a.org < b.org ? -1 : 1))
  const sized = sorted.map((chain) => {
    const left = (ends.get(chain.org) ?? 0) - chain.after
    return { ...chain, rows: Math.min(Math.max(left, 1), BATCH_ROWS) }
  })
  const batches = batchesOf(sized).values()
  const work = async () => {
    for (const batch of batches) await readChains(db, batch, visitor)
  }
  await Promise.all(Array.from({ length: LANES }, work))
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

async function readChains(
  db: Database,
  chains: readonly queries.ChainPosition[],
  visitor: SealVisitor,
): Promise<void> {
  let rest = chains
  while (rest.length > 0) {
    const { rows, org, seq } = await readBatch(db, rest, visitor)
    // A long chain is alone in its batch.
    rest = chains.length === 1 && rows === BATCH_ROWS ? [{ org, after: seq, rows: BATCH_ROWS }] : []
  }
}

async function readBatch(
  db: Database,
  chains: readonly queries.ChainPosition[],
  visitor: SealVisitor,
): Promise<Batch> {
  const batch = new Batch(visitor)
  await new SystemDatabase(db).transaction(async (tx) => {
    await queries.beginReading(tx)
    await queries.copySeals(tx, chains, (message) => batch.take(message))
    const outside = batch.showIncomplete()
    if (outside.length > 0) await queries.copySealsAt(tx, outside, (message) => batch.takeFound(message))
  })
  return batch
}

/** Ids of the first and the last entry of a chain that came with everything: what is between them is in the window. */
interface Covered {
  first: Buffer | undefined
  readonly last: Buffer
}

class Batch {
  readonly #visitor: SealVisitor
  readonly #incomplete: { readonly org: string; readonly covered: Covered; readonly message: Buffer }[] = []
  #covered: Covered = { first: undefined, last: Buffer.alloc(16) }
  #orgBytes = Buffer.alloc(0)
  rows = 0
  /** The last seal's. */
  org = ''
  seq = 0

  constructor(visitor: SealVisitor) {
    this.#visitor = visitor
  }

  take(message: Buffer): void {
    const row = readSealedRow(message)
    if (row === undefined) return
    if (!row.org.equals(this.#orgBytes)) {
      this.#orgBytes = Buffer.from(row.org)
      this.org = uuidText(row.org)
      this.#covered = { first: undefined, last: Buffer.alloc(16) }
    }
    this.rows += 1
    this.seq = row.seq
    this.#visitor.seal(this.org, row)
    if (row.entry === undefined || row.personal === undefined) {
      this.#incomplete.push({ org: this.org, covered: this.#covered, message: Buffer.from(message) })
      return
    }
    this.#covered.first ??= Buffer.from(row.id)
    row.id.copy(this.#covered.last)
    this.#visitor.contents(this.org, row)
  }

  /** Shows those whose entry or personal data are certainly not there; returns those for which one has to look. */
  showIncomplete(): { org: string; seq: number }[] {
    const outside: { org: string; seq: number }[] = []
    for (const { org, covered, message } of this.#incomplete) {
      const row = readSealedRow(message)
      if (row === undefined) continue
      const { first, last } = covered
      if (first !== undefined && first.compare(row.id) < 0 && last.compare(row.id) > 0)
        this.#visitor.contents(org, row)
      else outside.push({ org, seq: row.seq })
    }
    return outside
  }

  takeFound(message: Buffer): void {
    const row = readSealedRow(message)
    if (row !== undefined) this.#visitor.contents(uuidText(row.org), row)
  }
}
