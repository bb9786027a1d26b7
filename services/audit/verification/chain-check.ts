import { GENESIS } from '../chain.ts'
import type { EntryMacs } from '../macs.ts'
import { commitmentOfFields, digestOfSealed, linkOf } from './hashes.ts'
import type { Problem } from './problems.ts'
import { type SealedRow, uuidText } from './sealed-row.ts'

/** A seal that does not follow from the one before it, kept until the chain's end says why. Hashes are as in hashes.ts. */
interface Mismatch {
  readonly seq: number
  readonly entry: string
  readonly previous: string
  readonly digest: string
  readonly hash: string
}

/** An entry that is not what its seal says. */
interface Changed {
  readonly seq: number
  readonly entry: string
  readonly sealed: string
  readonly found: string
}

/** Where the check of a chain begins: after this seal. */
export interface ChainStart {
  readonly seq: number
  readonly hash: Buffer
}

interface Options {
  readonly start?: ChainStart | undefined
  /** Entries up to here are under a signature; the macs of later ones are checked. */
  readonly signedUpTo: number
  readonly macs: EntryMacs
}

/** Mismatches of one chain that are compared with each other. */
const MAX_COMPARED = 200

/** Checks the seals of one chain. */
export class ChainCheck {
  readonly org: string
  readonly problems: Problem[] = []
  readonly #options: Options
  readonly #mismatches: Mismatch[] = []
  readonly #changed: Changed[] = []
  #seq: number
  /** Hashes that the next seal may follow: the one that was found, and the one that should have been. */
  #previous: readonly string[]

  constructor(org: string, { start = { seq: 0, hash: GENESIS }, ...options }: Options) {
    this.org = org
    this.#options = options
    this.#seq = start.seq
    this.#previous = [start.hash.toString('latin1')]
  }

  /** The last seal that was checked. */
  get seq(): number {
    return this.#seq
  }

  /** Checks what a seal seals, in any order. */
  checkContents(row: SealedRow): void {
    const { entry } = row
    if (entry === undefined) {
      this.#found('entry_deleted', row, 'The entry of the seal is missing.')
      return
    }
    const digest = digestOfSealed(entry.withMac)
    if (digest !== row.digest) {
      this.#changed.push({ seq: row.seq, entry: uuidText(row.id), sealed: row.digest, found: digest })
      return
    }
    const isSigned = row.seq <= this.#options.signedUpTo
    if (!isSigned && this.#options.macs.check(entry.canonical, entry.mac) !== 'right') {
      this.#found(
        'entry_forged',
        row,
        'The entry is not marked by a key of the service, although it is sealed.',
      )
    }
    if (row.personal === undefined) return
    if (commitmentOfFields(row.personal) !== entry.commitment) {
      this.#found('personal_data_changed', row, 'The personal data are not those that the entry commits to.')
    } else if (!row.isOfActor) {
      const detail =
        'The personal data are not kept as those of the actor: deleting the account would leave them.'
      this.#found('personal_data_changed', row, detail)
    }
  }

  /** Says what the mismatches mean; to be called once, after the last seal. */
  end(): void {
    this.#explainChanged()
    this.#explainMismatches()
    this.problems.sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
  }

  /** Checks that a seal follows from the one before; to be called in the order of the chain. */
  checkLink({ seq, id, digest, hash }: SealedRow): void {
    const expected = this.#seq + 1
    this.#seq = seq
    if (seq !== expected) {
      const last = seq - 1
      const detail = 'The seals are missing.'
      this.problems.push({ kind: 'seals_deleted', org: this.org, seq: expected, last, detail })
      // What it follows is not known.
      this.#previous = [hash]
      return
    }
    const links = this.#previous.map((previous) => linkOf(previous, seq, digest))
    if (links.includes(hash)) {
      this.#previous = [hash]
      return
    }
    const [previous = GENESIS.toString('latin1')] = this.#previous
    this.#mismatches.push({ seq, entry: uuidText(id), previous, digest, hash })
    this.#previous = [hash, ...links]
  }

  #explainChanged(): void {
    const explained = new Set<Changed>()
    const list = this.#changed.slice(0, MAX_COMPARED)
    for (const one of list) {
      const other = list.find(({ sealed, seq }) => seq > one.seq && sealed === one.found)
      if (other === undefined || other.found !== one.sealed) continue
      explained.add(one).add(other)
      this.#swapped(one, other)
    }
    for (const one of this.#changed) {
      if (!explained.has(one)) this.#add('entry_changed', one, 'The entry is not the one that was sealed.')
    }
  }

  #explainMismatches(): void {
    const explained = new Set<Mismatch>()
    const list = this.#mismatches.slice(0, MAX_COMPARED)
    for (const one of list) {
      const other = list.find((candidate) => candidate.seq > one.seq && areSwapped(one, candidate))
      if (other === undefined || explained.has(one)) continue
      this.#swapped(one, other)
      explained.add(one).add(other)
      for (const next of list) if (followsSwapped(next, one, other)) explained.add(next)
    }
    for (const one of this.#mismatches) {
      if (!explained.has(one))
        this.#add('seal_changed', one, 'The seal does not follow from the one before it.')
    }
  }

  #swapped(one: { seq: number; entry: string }, other: { seq: number }): void {
    const detail = `It has changed places with ${other.seq}.`
    this.problems.push({ kind: 'swapped', org: this.org, ...place(one), last: other.seq, detail })
  }

  #found(kind: Problem['kind'], { seq, id }: SealedRow, detail: string): void {
    this.#add(kind, { seq, entry: uuidText(id) }, detail)
  }

  #add(kind: Problem['kind'], at: { seq: number; entry: string }, detail: string): void {
    this.problems.push({ kind, org: this.org, ...place(at), detail })
  }
}

const place = ({ seq, entry }: { seq: number; entry: string }) => ({ seq, entry })

/** Whether each of two seals has what belongs into the place of the other, with or without its hash. */
function areSwapped(one: Mismatch, other: Mismatch): boolean {
  const right = linkOf(one.previous, one.seq, other.digest)
  return right === other.hash || right === one.hash
}

/** Whether a seal follows what should be in the place before it, where one of two that were swapped is. */
function followsSwapped(next: Mismatch, one: Mismatch, other: Mismatch): boolean {
  const truth = next.seq === one.seq + 1 ? other : next.seq === other.seq + 1 ? one : undefined
  return truth !== undefined && linkOf(truth.hash, next.seq, next.digest) === next.hash
}
