import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { merkleRoot } from '#lib/merkle/merkle.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import { type NoteKey, openNote } from '#lib/signed-note/signed-note.ts'
import { headLeaf } from '../chain.ts'
import { type Checkpoint, cutText, parseCheckpoint, textDigest } from '../checkpoint-note.ts'
import type { CheckpointRow } from '../queries.ts'
import type { Problem } from './problems.ts'
import * as queries from './queries.ts'

/** The statements of checkpoints, as far as they can be trusted. */
export interface CheckedCheckpoints {
  readonly problems: Problem[]
  /** By organization, the last seal that a signed and right checkpoint covers. */
  readonly signedUpTo: ReadonlyMap<string, number>
  /** By organization, heads that the chain does not have. */
  readonly unmet: ReadonlyMap<string, UnmetHead[]>
  readonly count: number
  /** Checkpoints that nobody has signed, or whose key is not known. */
  readonly unsigned: number
}

/** A head of a checkpoint that the chain does not have as it says. */
export interface UnmetHead {
  readonly checkpoint: number
  readonly seq: number
  /** Whether there is a seal in its place. */
  readonly isThere: boolean
}

const BATCH_CHECKPOINTS = 500
const ZEROS = Buffer.alloc(32)

/**
 * Checks every checkpoint: that its note is signed, follows from the one before, and has the root of its heads.
 *
 * @param published notes that were kept outside the database; each must be there as it was published
 */
export async function checkCheckpoints(
  db: SystemDatabase,
  keys: readonly NoteKey[],
  published: readonly string[] = [],
): Promise<CheckedCheckpoints> {
  const state = new State(keys, published)
  const read = (last: queries.CheckpointRow | undefined, limit: number) =>
    queries.selectCheckpoints(db, last?.number ?? 0, limit)
  for await (const rows of inBatches(BATCH_CHECKPOINTS, read))
    for (const row of rows) state.check(row, await queries.selectCheckpointHeads(db, row.number))
  state.end()
  return state
}

class State implements CheckedCheckpoints {
  readonly problems: Problem[] = []
  readonly signedUpTo = new Map<string, number>()
  readonly unmet = new Map<string, UnmetHead[]>()
  count = 0
  unsigned = 0
  readonly #keys: readonly NoteKey[]
  readonly #published: ReadonlyMap<number, string>
  readonly #problematic: Problem[] = []
  #last = 0
  #isSigning = false
  /** Digest of the note before; undefined when that is missing. */
  #previous: Buffer | undefined = ZEROS

  constructor(keys: readonly NoteKey[], published: readonly string[]) {
    this.#keys = keys
    const known = published.flatMap((note) => {
      const { text, state } = openNote(note, keys)
      const checkpoint = parseCheckpoint(text)
      if (checkpoint === undefined || state === 'wrong signature') {
        this.#problematic.push({
          kind: 'checkpoint_changed',
          detail: `A published checkpoint is not one, or its signature is wrong: ${text.slice(0, 60)}`,
        })
        return []
      }
      return [[checkpoint.number, text] as const]
    })
    this.#published = new Map(known)
    this.problems.push(...this.#problematic)
  }

  check({ number, at, note }: CheckpointRow, heads: readonly queries.CheckedHead[]): void {
    this.count += 1
    this.#checkGap(number)
    const { text, state } = openNote(note, this.#keys)
    const checkpoint = parseCheckpoint(text)
    const isSound = this.#checkNote({ number, at }, checkpoint, text, state === 'wrong signature', heads)
    this.#checkSigned(number, state === 'signed')
    this.#previous = textDigest(text)
    if (!isSound) return
    for (const head of heads) this.#checkHead(number, head, state === 'signed')
  }

  /** Names published checkpoints that are not there. */
  end(): void {
    const missing = [...this.#published.keys()].filter((number) => number > this.#last).sort((a, b) => a - b)
    const [first] = missing
    if (first === undefined) return
    this.problems.push({
      kind: 'truncated',
      checkpoint: first,
      detail: `Checkpoint ${first} and ${missing.length - 1} more were published; the database ends at ${this.#last}.`,
    })
  }

  #checkGap(number: number): void {
    for (let missing = this.#last + 1; missing < number && this.problems.length < 1000; missing++) {
      this.problems.push({
        kind: 'checkpoint_deleted',
        checkpoint: missing,
        detail: 'The checkpoint is missing.',
      })
    }
    if (number !== this.#last + 1) this.#previous = undefined
    this.#last = number
  }

  /** Those from before there was a key have no signature; from the first signed one on, each has one. */
  #checkSigned(number: number, isSigned: boolean): void {
    if (isSigned) {
      this.#isSigning = true
      return
    }
    this.unsigned += 1
    if (!this.#isSigning) return
    const detail = 'It has no signature of a known key, and one before it has.'
    this.problems.push({ kind: 'checkpoint_changed', checkpoint: number, detail })
  }

  #checkNote(
    { number, at }: Pick<CheckpointRow, 'number' | 'at'>,
    checkpoint: Checkpoint | undefined,
    text: string,
    isWronglySigned: boolean,
    heads: readonly queries.CheckedHead[],
  ): boolean {
    const found = (kind: Problem['kind'], detail: string) => {
      this.problems.push({ kind, checkpoint: number, detail })
      return false
    }
    if (checkpoint === undefined || isWronglySigned)
      return found('checkpoint_changed', 'The note is not as it was signed.')
    if (checkpoint.number !== number)
      return found('checkpoint_replayed', `In its place stands checkpoint ${checkpoint.number}.`)
    const published = this.#published.get(number)
    if (published !== undefined && published !== text)
      return found('checkpoint_replayed', 'Another checkpoint of this number was published.')
    if (this.#previous !== undefined && !this.#previous.equals(checkpoint.previous))
      return found('checkpoint_replayed', 'It does not follow from the checkpoint before it.')
    const root = merkleRoot(heads.map(headLeaf))
    if (heads.length !== checkpoint.size || !root.equals(checkpoint.root))
      return found('checkpoint_changed', 'Its heads are not those that were signed.')
    if (checkpoint.at !== at) return found('checkpoint_changed', 'Its time is not the one that was signed.')
    return true
  }

  #checkHead(checkpoint: number, { org, seq, hash, found }: queries.CheckedHead, isSigned: boolean): void {
    if (found?.equals(hash)) {
      if (isSigned) this.signedUpTo.set(org, Math.max(seq, this.signedUpTo.get(org) ?? 0))
      return
    }
    const unmet = this.unmet.get(org) ?? []
    unmet.push({ checkpoint, seq, isThere: found !== null })
    this.unmet.set(org, unmet)
  }
}

/** Where each chain begins, by what was cut off on purpose. */
export async function checkCuts(
  db: SystemDatabase,
  keys: readonly NoteKey[],
): Promise<{ cuts: Map<string, number>; problems: Problem[] }> {
  const cuts = new Map<string, number>()
  const problems: Problem[] = []
  for (const { note, ...cut } of await queries.selectCuts(db)) {
    const { text, state } = openNote(note, keys)
    const isSigned = state === 'signed' || (keys.length === 0 && state === 'unsigned')
    if (isSigned && text === cutText(cut)) cuts.set(cut.org, cut.seq)
    else {
      const detail =
        'The beginning of the chain was deleted, and the note of that is not signed by the service.'
      problems.push({ kind: 'cut_forged', org: cut.org, last: cut.seq, detail })
    }
  }
  return { cuts, problems }
}
