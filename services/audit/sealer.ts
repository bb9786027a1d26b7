import { type Database, transaction } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { GENESIS, type Head, linkHash, type Seal } from './chain.ts'
import { canonical, digestOf, timeOf } from './entry.ts'
import type { PendingEntry } from './entry-row.ts'
import type { AuditKeys } from './keys.ts'
import type { EntryMacs } from './macs.ts'
import * as queries from './queries.ts'
import * as intake from './queries-of-intake.ts'

/** Entries that one transaction seals. */
const BATCH_ENTRIES = 1000

const NOTHING: Sealing = { sealed: 0, refused: [], hasMore: false }

/** The result of one batch. */
export interface Sealing {
  readonly sealed: number
  /** Entries that are not what the service wrote, by what is wrong with them. They are never sealed. */
  readonly refused: readonly { readonly org: string; readonly id: string; readonly reason: string }[]
  /** Whether there may be more. */
  readonly hasMore: boolean
}

interface SealerContext {
  readonly db: Database
  readonly now: () => Date
  readonly audit: Pick<AuditKeys, 'macs'>
}

/**
 * Files and seals a batch of committed entries: appends each to its organization's chain. One process at a time does;
 * others seal nothing. All of it is one transaction, so a process that dies leaves the chains as they were.
 *
 * @param observed is told how many milliseconds an entry waited
 */
export async function sealBatch(ctx: SealerContext, observed?: (waitedMs: number) => void): Promise<Sealing> {
  const system = { ...ctx, db: new SystemDatabase(ctx.db) }
  // Mostly nothing waits, and one statement says so.
  if (!(await queries.someWait(system.db))) return NOTHING
  return transaction(system, async ({ db, now, audit: { macs } }) => {
    if (!(await queries.lockSealing(db))) return NOTHING
    const filed = await intake.fileEntries(db, BATCH_ENTRIES, macs.keyIds)
    // Written by a version before this one.
    const pending = await queries.selectPending(db, BATCH_ENTRIES, macs.keyIds)
    const { sound, refused } = sort([...filed, ...pending], macs)
    const orgs = [...new Set(sound.map(({ org }) => org))]
    const heads = await queries.selectHeads(db, orgs)
    const seals = chain(sound, new Map(heads.map((head) => [head.org, head])))
    await Promise.all([
      queries.insertSeals(db, seals),
      queries.deletePending(db, pending),
      queries.refuseEntries(db, refused),
      queries.recordGrowth(db, orgs),
    ])
    const time = now().getTime()
    for (const { id } of sound) observed?.(Math.max(0, time - timeOf(id)))
    return {
      sealed: seals.length,
      refused,
      hasMore: Math.max(filed.length, pending.length) === BATCH_ENTRIES,
    }
  })
}

interface Sound {
  readonly org: string
  readonly id: string
  readonly digest: Buffer
}

type Refused = Sealing['refused'][number]

function sort(pending: readonly PendingEntry[], macs: EntryMacs): { sound: Sound[]; refused: Refused[] } {
  const sound: Sound[] = []
  const refused: Refused[] = []
  for (const { org, id, entry, mac } of pending) {
    if (entry === undefined || mac === undefined) {
      refused.push({ org, id, reason: 'missing' })
      continue
    }
    const bytes = canonical(entry)
    if (macs.check(bytes, mac) === 'right') sound.push({ org, id, digest: digestOf(bytes, mac) })
    else refused.push({ org, id, reason: 'wrong mac' })
  }
  return { sound, refused }
}

function chain(entries: readonly Sound[], heads: Map<string, Head>): Seal[] {
  return entries.map(({ org, id, digest }) => {
    const { seq, hash } = heads.get(org) ?? { seq: 0, hash: GENESIS }
    const seal = { org, seq: seq + 1, id, digest, hash: linkHash(hash, seq + 1, digest) }
    heads.set(org, seal)
    return seal
  })
}
