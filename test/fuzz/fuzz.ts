import fc from 'fast-check'
import pLimit from 'p-limit'
import type { Owner } from '#test/support/database.ts'
import { type Attempt, Attempts } from './attempt.ts'
import { type FuzzedOperation, fuzzedOperations } from './operations.ts'
import { type Plan, plans } from './plans.ts'
import { curl, type Signer } from './request.ts'
import { createWorld, Users } from './world.ts'

export interface FuzzOptions {
  /** Requests in all. */
  runs: number
  /** Repeats what was sent before. */
  seed: number
  /** Only these operations. */
  only?: readonly string[] | undefined
  /** Is told after each round how many requests were sent. */
  onProgress?: (sent: number) => void
  onFinding?: (finding: Finding) => void
}

/** A failure of an operation; shrunk to the smallest request that shows it. */
export interface Finding extends Attempt {
  operationId: string
  as: Signer
}

/** How an operation fared. */
export interface Tally {
  sent: number
  /** Requests that the document allows, sent by an admin, or by anybody where anybody may. */
  valid: number
  /** Those of them that succeeded. */
  succeeded: number
  /** Whether success is a stream, whose end nobody waits for: then it may only refuse. */
  streams: boolean
}

export interface FuzzReport {
  findings: Finding[]
  tallies: Map<string, Tally>
  /** Lines of the log that somebody should look at. */
  errors: readonly string[]
}

/** Most requests of an operation in one round; the rounds go over all operations. */
const ROUND = 2000

/** Operations that are asked at once; each has users of its own. */
const AT_ONCE = 4

/** An operation that hashes gets fewer requests: one of its own takes as long as a dozen others. */
const SHARE_OF_HASHING = 0.3

/** Fewest requests of an operation, of which about a third are right. */
const MIN_RUNS = 20

/** Sends requests to every operation of the document. */
export async function fuzz(owner: Owner, options: FuzzOptions): Promise<FuzzReport> {
  const world = await createWorld(owner)
  const attempts = new Attempts(world)
  const { only } = options
  const operations = fuzzedOperations(world.document).filter(({ id }) => only?.includes(id) ?? true)
  const unknown = only?.filter((id) => operations.every((operation) => operation.id !== id)) ?? []
  if (unknown.length > 0) throw new TypeError(`the document has no operation ${unknown.join(', ')}`)
  const report: FuzzReport = { findings: [], tallies: new Map(), errors: world.errors }

  const weights = operations.reduce((sum, operation) => sum + shareOf(operation), 0)
  const each = options.runs / weights
  const limit = pLimit(AT_ONCE)
  for (let begun = 0, round = 0; begun < each; begun += ROUND, round++) {
    const left = Math.min(ROUND, each - begun)
    await limit.map(operations, async (operation) => {
      const numRuns = Math.max(MIN_RUNS, Math.ceil(left * shareOf(operation)))
      const finding = await check(operation, attempts, report, { numRuns, seed: options.seed + round })
      if (finding) {
        report.findings.push(finding)
        options.onFinding?.(finding)
      }
      options.onProgress?.([...report.tallies.values()].reduce((sum, { sent }) => sum + sent, 0))
    })
  }
  return report
}

async function check(
  operation: FuzzedOperation,
  attempts: Attempts,
  { tallies }: FuzzReport,
  parameters: { numRuns: number; seed: number },
): Promise<Finding | undefined> {
  const tally = tallies.get(operation.id) ?? { sent: 0, valid: 0, succeeded: 0, streams: operation.streams }
  tallies.set(operation.id, tally)
  const users = new Users(attempts.app)
  let last: Finding | undefined
  const holds = fc.asyncProperty(plans(operation, attempts.values), async (plan) => {
    const attempt = await attempts.run(operation, plan, users)
    count(tally, operation, plan, attempt)
    if (attempt.violations.length === 0) return true
    // The last that fails is the least.
    last = { operationId: operation.id, as: plan.as, ...attempt }
    return false
  })
  await fc.check(holds, parameters)
  return last
}

function count(
  tally: Tally,
  { secured }: FuzzedOperation,
  { as, breakages }: Plan,
  { status }: Attempt,
): void {
  tally.sent++
  if (breakages.length > 0 || (secured && as !== 'admin')) return
  tally.valid++
  if (status < 400) tally.succeeded++
}

function shareOf({ hashes }: FuzzedOperation): number {
  return hashes ? SHARE_OF_HASHING : 1
}

/** Operations that need an object store, which the fuzzed service has not: test/routes/api/v1/uploads/direct.test.ts. */
const OF_OBJECT_STORES =
  /^(?:createDirect|signUploadParts|signOrganizationUploadParts|complete(?:Organization)?Upload)/

/**
 * Operations whose right requests fail too often to say anything about them. What no schema can say of a request
 * that succeeds belongs into live-values.ts.
 */
export function unreached({ tallies }: FuzzReport): string[] {
  return [...tallies]
    .filter(([id, { streams }]) => !streams && !OF_OBJECT_STORES.test(id))
    .filter(([, { valid, succeeded }]) => succeeded < valid / 2 || valid === 0)
    .map(([id, { valid, succeeded }]) => `${id}: ${succeeded} of ${valid} right requests succeeded`)
}

/** A finding in words, with a line for a shell that shows it. */
export function describe({ operationId, violations, draft, as, status, reply }: Finding): string {
  const lines = [
    `${operationId}: ${violations.join('; ')}`,
    curl(draft, as),
    `${status} ${reply.slice(0, 500)}`,
  ]
  return lines.join('\n  ')
}
