import { passCheck, refusedOf } from './check.ts'
import { groupsOf, withMutations } from './mutated.ts'
import type { Project } from './project.ts'
import type { FindTests } from './related.ts'
import type { Results } from './results.ts'
import type { Candidate } from './sample.ts'
import { tryTogether } from './together.ts'
import { type Outcome, runTests } from './trial.ts'

/** A mutant that was tried. */
export interface Tried extends Candidate {
  readonly outcome: Outcome
}

interface Options {
  readonly results: (path: string) => Results
  readonly signal: AbortSignal
  readonly say: (message: string) => void
}

interface EachOptions extends Options {
  /** Tests for a mutant, in the order in which they are run. */
  readonly tests: (candidate: Candidate) => readonly string[]
  /** Tests of which it counts too what they noticed before. */
  readonly all: readonly string[]
  /** Time by `performance.now()`. */
  readonly deadline: number
}

/** Tries mutants one by one, each until a test notices. Returns those for which there was time. */
export async function tryEach(
  project: Project,
  candidates: readonly Candidate[],
  options: EachOptions,
): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const candidate of candidates) {
    const outcome = await tryOne(project, candidate, options)
    if (outcome === undefined) break
    tried.push({ ...candidate, outcome })
  }
  return tried
}

/** Returns what an earlier run knows, or tries; undefined when the time is over. */
async function tryOne(
  project: Project,
  candidate: Candidate,
  { results, signal, say, tests, all, deadline }: EachOptions,
): Promise<Outcome | undefined> {
  const { path, mutation } = candidate
  const files = tests(candidate)
  if (files.length === 0) return results(path).find(mutation, all) ?? PASSED
  const known = results(path).find(mutation, files) ?? results(path).find(mutation, all)
  if (known !== undefined) return known
  if (signal.aborted || performance.now() > deadline) return undefined
  const outcome = await withMutations(project, [candidate], () =>
    runTests(project, files, { bail: true, signal }),
  )
  if (signal.aborted) return undefined
  results(path).keep(mutation, files, outcome)
  if (outcome.verdict === 'timeout') say(`stopped: ${nameOf(candidate)} by ${outcome.failed.join()}`)
  return outcome
}

/** Tries what no test has noticed with all tests that `npm test` runs, together. */
export async function tryAll(
  project: Project,
  tried: readonly Tried[],
  tests: readonly string[],
  options: Options,
): Promise<Tried[]> {
  const { results, signal } = options
  const find = ({ path, mutation }: Candidate) => results(path).find(mutation, tests)
  const unknown = passedOf(tried).filter((candidate) => find(candidate) === undefined)
  for (const group of groupsOf(unknown)) {
    if (signal.aborted) break
    options.say(`${group.length} that no near test notices are tried with ${tests.length} files together`)
    const noticed = await tryTogether(project, group, { tests, ...options })
    if (noticed === undefined) break
    for (const candidate of group)
      results(candidate.path).keep(candidate.mutation, tests, noticed.get(candidate) ?? PASSED)
  }
  return tried.map((one) =>
    one.outcome.verdict === 'passed' ? { ...one, outcome: find(one) ?? one.outcome } : one,
  )
}

/** Shows what no test has noticed to the types and the linter, and then to tests that `npm test` does not run. */
export async function tryOthers(
  project: Project,
  tried: readonly Tried[],
  tests: FindTests,
  options: Options,
): Promise<Tried[]> {
  const { signal } = options
  const refused = new Set<Candidate>()
  for (const group of groupsOf(passedOf(tried)))
    for (const candidate of await refusedOf(project, group, signal)) refused.add(candidate)
  if (refused.size > 0 && !(await passCheck(project, [], signal)) && !signal.aborted) {
    options.say('the types or the linter refuse the code without a mutation too')
    refused.clear()
  }
  const left = passedOf(tried).filter((candidate) => !refused.has(candidate))
  const far = await tryEach(project, left, {
    ...options,
    tests: (candidate) => tests(candidate).far,
    all: [],
    deadline: Number.POSITIVE_INFINITY,
  })
  const others = new Map(far.map((one, index) => [left[index], one]))
  return tried.map((one) =>
    refused.has(one) ? { ...one, outcome: { verdict: 'refused', failed: [] } } : (others.get(one) ?? one),
  )
}

/**
 * Runs what noticed a mutant without any mutation, and returns the mutants without those that were noticed only because
 * that fails in any case.
 */
export async function withoutFalse(
  project: Project,
  tried: readonly Tried[],
  { signal, say }: Pick<Options, 'signal' | 'say'>,
): Promise<Tried[]> {
  const tests = new Set(tried.flatMap(({ outcome }) => outcome.failed))
  if (tests.size === 0 || signal.aborted) return [...tried]
  const { failed } = await runTests(project, [...tests].sort(), { bail: false, signal })
  if (signal.aborted) return [...tried]
  for (const test of failed) say(`fails without a mutation too, so it is not counted: ${test}`)
  return tried.filter(({ outcome }) => !outcome.failed.some((test) => failed.includes(test)))
}

const PASSED: Outcome = { verdict: 'passed', failed: [] }

function passedOf(tried: readonly Tried[]): Tried[] {
  return tried.filter(({ outcome }) => outcome.verdict === 'passed')
}

/** Names a mutant for people; two of the same kind in a line have the same name. */
export function nameOf({ path, mutation }: Candidate): string {
  return `${path}:${mutation.line}: ${mutation.description}`
}
