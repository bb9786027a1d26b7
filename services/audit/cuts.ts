import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import { cutText, signAuditNote } from './checkpoint-note.ts'
import type { AuditKeys } from './keys.ts'
import * as queries from './queries.ts'

/** Chains that are looked at together. */
const BATCH_CHAINS = 500

/**
 * Deletes what is older than a time: of each chain the seals up to the last checkpoint before it, with their entries. A
 * signed note says so, from which the rest of the chain is verified. The last seal of a chain always stays.
 */
export async function cutBefore(
  ctx: Pick<Context, 'db' | 'now'> & { readonly audit: AuditKeys },
  before: Date,
  org?: string,
): Promise<{ entries: number; chains: number }> {
  const db = new SystemDatabase(ctx.db)
  let [entries, chains] = [0, 0]
  const read = (last: queries.Cuttable | undefined, limit: number) =>
    queries.selectCuttable(db, { before, after: last?.org ?? null, org: org ?? null, limit })
  for await (const found of inBatches(BATCH_CHAINS, read)) {
    for (const chain of found) {
      entries += await cutChain(ctx, chain)
      chains += 1
    }
  }
  return { entries, chains }
}

function cutChain(
  ctx: Pick<Context, 'db' | 'now'> & { readonly audit: AuditKeys },
  { org, seq, hash }: queries.Cuttable,
): Promise<number> {
  return new SystemDatabase(ctx.db).transaction(async (tx) => {
    const at = ctx.now().toISOString()
    const note = signAuditNote(cutText({ org, seq, hash, at }), ctx.audit.keyRing)
    await queries.allowCut(tx)
    await queries.insertCut(tx, { org, seq, hash, at, note })
    return queries.deleteBeginning(tx, org, seq)
  })
}
