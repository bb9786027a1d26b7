import { hash } from 'node:crypto'
import { leafHash } from '#lib/merkle/merkle.ts'
import { int64, uuidBytes } from './entry.ts'

/** The end of a chain: how many entries it has, and the hash of the last. */
export interface Head {
  readonly org: string
  readonly seq: number
  readonly hash: Buffer
}

/** A link of a chain. */
export interface Seal extends Head {
  /** The entry's. */
  readonly id: string
  readonly digest: Buffer
}

/** The hash before the first seal of a chain. */
export const GENESIS = Buffer.alloc(32)

/** The first byte of what is hashed: its kind. */
export const LINK = Buffer.of(3)

/** The hash of a seal: SHA-256(0x03 | hash before | seq in eight bytes | digest of the entry). */
export function linkHash(previous: Buffer, seq: number, digest: Buffer): Buffer {
  return hash('sha256', Buffer.concat([LINK, previous, int64(seq), digest]), 'buffer')
}

/** A head as a leaf of a checkpoint's tree. */
export function headLeaf({ org, seq, hash: head }: Head): Buffer {
  return leafHash(Buffer.concat([uuidBytes(org), int64(seq), head]))
}
