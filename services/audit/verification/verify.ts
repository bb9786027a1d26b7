import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { inBatches } from '#lib/pagination/in-batches.ts'
import { canonical } from '../entry.ts'
import type { AuditKeys } from '../keys.ts'
import type { EntryMacs } from '../macs.ts'
import { ChainCheck, type ChainStart } from './chain-check.ts'
import { type CheckedCheckpoints, checkCheckpoints, checkCuts } from './checkpoint-check.ts'
import type { Problem } from './problems.ts'
import * as queries from './queries.ts'
import { readSeals } from './seal-reader.ts'

/** Chains that are read together. */
const BATCH_CHAINS = 500
/** Problems that are named; more are counted. */
const MAX_NAMED = 1000

export interface VerifyOptions {
  /** Only this chain. */
  readonly org?: string | undefined
  /** Only what came after the last checkpoint before this. */
  readonly since?: Date | undefined
  /** Notes of checkpoints that were kept outside the database. */
  readonly published?: readonly string[]
}

/** The result of a verification. */
export interface Verification {
  readonly entries: number
  readonly chains: number
  readonly checkpoints: number
  /** Checkpoints that are not signed by a known key: what they cover, an operator of the database could have made. */
  readonly unsignedCheckpoints: number
  /** In all; the first thousand are named. */
  readonly problemCount: number
  readonly problems: readonly Problem[]
}

interface VerifyContext {
  readonly db: Database
  readonly audit: AuditKeys
}

/** Verifies the log: the entries, the chains, and the checkpoints over them. It changes nothing, and waits for nobody. */
export async function verify(ctx: VerifyContext, options: VerifyOptions = {}): Promise<Verification> {
  const db = new SystemDatabase(ctx.db)
  const { cuts, problems } = await checkCuts(db, ctx.audit.noteKeys)
  const checkpoints = await checkCheckpoints(db, ctx.audit.noteKeys, options.published)
  const found = new Findings([...problems, ...checkpoints.problems])
  const { entries, chains } = await verifyChains(ctx, options, { cuts, checkpoints, found })
  await findStrays(db, options.org ?? null, ctx.audit.macs, found)
  return {
    entries,
    chains,
    checkpoints: checkpoints.count,
    unsignedCheckpoints: checkpoints.unsigned,
    problemCount: found.count,
    problems: found.named,
  }
}

class Findings {
  readonly named: Problem[] = []
  count = 0

  constructor(problems: readonly Problem[]) {
    this.add(problems)
  }

  add(problems: readonly Problem[]): void {
    this.count += problems.length
    this.named.push(...problems.slice(0, Math.max(0, MAX_NAMED - this.named.length)))
  }
}

interface Known {
  readonly cuts: ReadonlyMap<string, number>
  readonly checkpoints: CheckedCheckpoints
  readonly found: Findings
}

async function verifyChains(
  { db, audit }: VerifyContext,
  { org: only, since }: VerifyOptions,
  { cuts, checkpoints, found }: Known,
): Promise<{ entries: number; chains: number }> {
  let [entries, chains] = [0, 0]
  const unmet = new Map(checkpoints.unmet)
  const first = only === undefined ? null : before(only)
  const read = (last: queries.ChainRow | undefined, limit: number) =>
    queries.selectChains(new SystemDatabase(db), { after: last?.org ?? first, limit, since: since ?? null })
  for await (const page of inBatches(only === undefined ? BATCH_CHAINS : 1, read)) {
    const chosen = page.filter(({ org }) => only === undefined || org === only)
    const starts = new Map(chosen.map((chain) => [chain.org, startOf(chain, cuts)]))
    const checked = await checkChains(db, starts, audit.macs, checkpoints.signedUpTo)
    for (const check of checked.chains) {
      found.add([...check.problems, ...explainUnmet(check, unmet.get(check.org), cuts.get(check.org))])
      unmet.delete(check.org)
    }
    found.add(await findUncovered(new SystemDatabase(db), [...starts.keys()]))
    entries += checked.entries
    chains += chosen.length
    if (only !== undefined) break
  }
  for (const [org, heads] of unmet) {
    if (only === undefined || org === only)
      found.add(explainUnmet({ org, seq: 0, problems: [] }, heads, cuts.get(org)))
  }
  return { entries, chains }
}

function startOf(
  { org, cut, cutHash, known, knownHash }: Awaited<ReturnType<typeof queries.selectChains>>[number],
  cuts: ReadonlyMap<string, number>,
): ChainStart | undefined {
  if (known !== null && knownHash !== null) return { seq: Number(known), hash: knownHash }
  // A cut that nobody signed explains nothing: the seals before it are missing.
  if (cut !== null && cutHash !== null && cuts.get(org) === Number(cut))
    return { seq: Number(cut), hash: cutHash }
  return undefined
}

/** Checks some chains, each from its start. */
export async function checkChains(
  db: Database,
  starts: ReadonlyMap<string, ChainStart | undefined>,
  macs: EntryMacs,
  signedUpTo: ReadonlyMap<string, number>,
): Promise<{ entries: number; chains: ChainCheck[] }> {
  const checks = new Map(
    [...starts].map(([org, start]) => [
      org,
      new ChainCheck(org, { start, macs, signedUpTo: signedUpTo.get(org) ?? 0 }),
    ]),
  )
  let entries = 0
  const positions = [...starts].map(([org, start]) => ({ org, after: start?.seq ?? 0 }))
  await readSeals(db, positions, {
    seal(org, row) {
      entries += 1
      checks.get(org)?.checkLink(row)
    },
    contents: (org, row) => checks.get(org)?.checkContents(row),
  })
  for (const check of checks.values()) check.end()
  return { entries, chains: [...checks.values()] }
}

/** Says why a chain is not as checkpoints say: its end is missing, or it was made again. */
function explainUnmet(
  { org, seq: end, problems }: Pick<ChainCheck, 'org' | 'seq' | 'problems'>,
  unmet: CheckedCheckpoints['unmet'] extends ReadonlyMap<string, infer T> ? T | undefined : never,
  cut = 0,
): Problem[] {
  const heads = (unmet ?? []).filter(({ seq }) => seq > cut)
  const rewritten = heads.find(({ seq, isThere }) => isThere && !problems.some(isAt(seq)))
  const beyond = heads.filter(({ seq, isThere }) => !isThere && seq > end)
  const lost = beyond.at(-1)
  const found: Problem[] = []
  if (rewritten !== undefined) {
    const { checkpoint, seq } = rewritten
    const detail = `The chain up to here is not the one of checkpoint ${checkpoint}: it was written again.`
    found.push({ kind: 'chain_rewritten', org, seq, checkpoint, detail })
  }
  if (lost !== undefined) {
    const { checkpoint, seq } = lost
    const detail = `Checkpoint ${checkpoint} has seals up to ${seq}; the chain ends at ${end}.`
    found.push({ kind: 'truncated', org, seq: end + 1, last: seq, checkpoint, detail })
  }
  return found
}

const isAt =
  (seq: number) =>
  ({ seq: first = 0, last = first }: Problem) =>
    first === seq || last === seq

/** Names ends of chains that the next checkpoint would not cover, because somebody has made it forget them. */
async function findUncovered(db: SystemDatabase, orgs: readonly string[]): Promise<Problem[]> {
  const uncovered = await queries.selectUncovered(db, orgs)
  return uncovered.map(({ org, covered, end }) => ({
    kind: 'seals_uncovered',
    ...{ org, seq: covered + 1, last: end },
    detail: 'No checkpoint covers the seals, and the next one would not either.',
  }))
}

/** Names entries that are in no chain. */
async function findStrays(
  db: SystemDatabase,
  org: string | null,
  macs: EntryMacs,
  found: Findings,
): Promise<void> {
  for (const { mac, entry, ...place } of await queries.selectStrayEntries(db, org, MAX_NAMED)) {
    const at = { org: place.org, entry: place.id }
    if (entry === undefined || mac === undefined) {
      found.add([{ kind: 'entry_deleted', ...at, detail: 'The entry was deleted before it was sealed.' }])
    } else if (macs.check(canonical(entry), mac) === 'right') {
      found.add([
        { kind: 'entry_unsealed', ...at, detail: 'The entry is in no chain, and does not wait for it.' },
      ])
    } else {
      found.add([
        { kind: 'entry_inserted', ...at, detail: 'The entry is not marked by a key of the service.' },
      ])
    }
  }
}

/** The UUID before this one, so that a list that goes on after it begins with this one. */
function before(uuid: string): string | null {
  const value = BigInt(`0x${uuid.replaceAll('-', '')}`)
  if (value === 0n) return null
  const hex = (value - 1n).toString(16).padStart(32, '0')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
