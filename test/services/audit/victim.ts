import type { Database } from '#lib/database/database.ts'
import type { ProblemKind } from '#services/audit/verification/problems.ts'

/** A problem that a verification has to name. */
export interface Expected {
  readonly kind: ProblemKind
  readonly org?: string
  readonly seq?: number
  readonly last?: number
  readonly entry?: string
  readonly checkpoint?: number
}

/** A seal as the table has it. */
export interface SealRow {
  readonly org: string
  readonly seq: number
  readonly entry: string
  readonly digest: Buffer
  readonly hash: Buffer
}

/** The log that is tampered with. */
export interface Victim {
  /** As the owner of the server. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Seals of one chain, in their order. */
  readonly seals: readonly SealRow[]
  /** Last seal of the chain that a checkpoint covers. */
  readonly covered: number
  readonly checkpoints: number
  /** A number from 0 up to, but not, `below`. */
  random(below: number): number
}

/** One way to tamper with the log: does it, and says what is to be found. */
export type Tampering = (victim: Victim) => Promise<Expected[]>

/** Runs statements for a victim. */
export const sqlOf =
  (db: Database): Victim['sql'] =>
  (text, values = []) =>
    db.query({ name: 'tamper', text, values })

/** A seal of the chain, by chance, among the first. */
export const one = ({ seals, random }: Victim, below = seals.length): SealRow => {
  const seal = seals[random(below)]
  if (seal === undefined) throw new Error('the chain has no seal')
  return seal
}

/** Two different seals of the chain, in their order. */
export const two = (victim: Victim): [SealRow, SealRow] => {
  const [a, b] = [one(victim), one(victim)]
  if (a.seq === b.seq) return two(victim)
  return a.seq < b.seq ? [a, b] : [b, a]
}

/** Conditions of an entry and of a seal, with their values as $1 and $2. */
export const ENTRY = 'org_id = $1 AND id = $2'
export const SEAL = 'org_id = $1 AND seq = $2'
