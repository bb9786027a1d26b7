import { hash } from 'node:crypto'
import { signNote } from '#lib/signed-note/signed-note.ts'
import type { KeyRing } from '#lib/signing-keys/key-ring.ts'

/** The name that notes are signed with, and their first line. */
export const ORIGIN = 'groundwork/audit'

/** A checkpoint's statement. */
export interface Checkpoint {
  /** Counts from 1, without gaps. */
  readonly number: number
  /** RFC 3339. */
  readonly at: string
  /** Heads under the root. */
  readonly size: number
  /** Root of the Merkle tree over heads, in the order of their organizations. */
  readonly root: Buffer
  /** Digest of the text of the checkpoint before; zeros in the first. */
  readonly previous: Buffer
}

/** The text of a checkpoint (https://c2sp.org/tlog-checkpoint, with lines of our own). */
export function checkpointText({ number, at, size, root, previous }: Checkpoint): string {
  const lines = [ORIGIN, String(size), root.toString('base64')]
  return [...lines, `number ${number}`, `at ${at}`, `previous ${previous.toString('base64')}`, ''].join('\n')
}

const TEXT = new RegExp(
  `^${ORIGIN}\\n(\\d{1,15})\\n([\\w+/=]{44})\\nnumber (\\d{1,15})\\nat (\\S+)\\nprevious ([\\w+/=]{44})\\n$`,
)

/** Reads the text of a checkpoint; undefined when it is not one. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, size, root = '', number, at = '', previous = ''] = TEXT.exec(text) ?? []
  if (size === undefined) return undefined
  return {
    number: Number(number),
    at,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    previous: Buffer.from(previous, 'base64'),
  }
}

/** The digest by which the next checkpoint names this one. */
export function textDigest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** The text of a note of a cut: it says that the beginning of a chain was deleted on purpose. */
export function cutText({
  org,
  seq,
  hash: head,
  at,
}: {
  org: string
  seq: number
  hash: Buffer
  at: string
}): string {
  return [`${ORIGIN}/cut`, org, String(seq), head.toString('base64'), at, ''].join('\n')
}

/** Signs the text of a checkpoint or a cut, if there is a key. */
export function signAuditNote(text: string, keys: KeyRing | undefined): string {
  return signNote(text, ORIGIN, keys?.signing)
}
