import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { merkleRoot } from '#lib/merkle/merkle.ts'
import { openNote } from '#lib/signed-note/signed-note.ts'
import { type Head, headLeaf } from './chain.ts'
import { checkpointText, signAuditNote, textDigest } from './checkpoint-note.ts'
import type { AuditKeys } from './keys.ts'
import * as queries from './queries.ts'
import type { Problem } from './verification/problems.ts'
import { checkChains } from './verification/verify.ts'

/** Chains under one checkpoint; the rest comes under the next. */
const MAX_CHAINS = 5000
const ZEROS = Buffer.alloc(32)

/** A checkpoint that was taken, and what was wrong. */
export interface Taken {
  /** The signed note; undefined when no chain had grown in which nothing is wrong. */
  readonly note: string | undefined
  readonly number: number
  /** Entries that were checked before signing. */
  readonly entries: number
  readonly problems: readonly Problem[]
}

/**
 * Checks what was sealed since the last checkpoint, and signs the heads of the chains that grew. What is wrong is not
 * signed, and keeps no other chain from it. Nothing is sealed meanwhile.
 */
export async function takeCheckpoint(
  ctx: Pick<Context, 'db' | 'now'> & { readonly audit: AuditKeys },
): Promise<Taken> {
  return new SystemDatabase(ctx.db).transaction(async (db) => {
    await queries.holdSealing(db)
    const last = await queries.selectLastCheckpoint(db)
    const number = last?.number ?? 0
    const grown = await queries.selectGrowth(db, MAX_CHAINS)
    if (grown.length === 0) return { note: undefined, number, entries: 0, problems: [] }

    const starts = new Map(
      grown.map(({ org, start, startHash }) => [
        org,
        startHash ? { seq: start, hash: startHash } : undefined,
      ]),
    )
    const { entries, chains } = await checkChains(db, starts, ctx.audit.macs, new Map())
    const problems = chains.flatMap((chain) => chain.problems)
    const sound = chains.filter((chain) => chain.problems.length === 0).map(({ org }) => org)
    if (sound.length === 0) return { note: undefined, number, entries, problems }

    const heads = await queries.selectHeads(db, sound.sort())
    const at = ctx.now().toISOString()
    const text = checkpointText({
      number: number + 1,
      at,
      size: heads.length,
      root: rootOf(heads),
      previous: last === undefined ? ZEROS : textDigest(openNote(last.note, []).text),
    })
    const note = signAuditNote(text, ctx.audit.keyRing)
    await queries.insertCheckpoint(db, { number: number + 1, at, note }, heads)
    return { note, number: number + 1, entries, problems }
  })
}

function rootOf(heads: readonly Head[]): Buffer {
  return merkleRoot(heads.map(headLeaf))
}
