import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { passesCheck } from './check.ts'
import { apply } from './mutations.ts'
import type { Project } from './project.ts'
import type { FindTests } from './related.ts'
import type { Results } from './results.ts'
import type { Candidate } from './sample.ts'
import { type Outcome, runTests } from './trial.ts'

/** A mutant that was tried. */
export interface Tried extends Candidate {
  readonly outcome: Outcome
}

interface Options {
  /** Test files for each file, in the order in which they are run. */
  readonly tests: FindTests
  readonly results: (path: string) => Results
  /** Time by `performance.now()`. */
  readonly deadline: number
  readonly signal: AbortSignal
  readonly say: (message: string) => void
}

/** Tries mutants in their order, and says which of them no test notices. Returns those for which there was time. */
export async function tryMutants(
  project: Project,
  candidates: readonly Candidate[],
  options: Options,
): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const candidate of candidates) {
    const outcome = await tryMutant(project, candidate, options)
    if (outcome === undefined) break
    tried.push({ ...candidate, outcome })
    const { path, mutation } = candidate
    if (outcome.verdict === 'passed')
      options.say(`not noticed: ${path}:${mutation.line}: ${mutation.description}`)
  }
  return tried
}

/** Returns what an earlier run knows, or tries; undefined when the time is over. */
async function tryMutant(
  project: Project,
  { path, mutation }: Candidate,
  { tests, results, deadline, signal }: Options,
): Promise<Outcome | undefined> {
  const files = tests(path)
  const known = results(path).find(mutation, files)
  if (known !== undefined) return known
  if (signal.aborted || performance.now() > deadline) return undefined
  const file = join(project.directory, path)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, apply(text, mutation))
  let outcome = await runTests(project, files, { bail: true, signal })
  if (outcome.verdict === 'passed' && !(await passesCheck(project, path, signal)))
    outcome = { verdict: 'refused', failed: [] }
  writeFileSync(file, text)
  if (signal.aborted) return undefined
  results(path).keep(mutation, files, outcome)
  return outcome
}

/**
 * Runs what noticed a mutant without any mutation, and returns the mutants without those that were noticed, or refused,
 * only because that fails in any case.
 */
export async function checkTests(
  project: Project,
  tried: readonly Tried[],
  { signal, say }: Pick<Options, 'signal' | 'say'>,
): Promise<Tried[]> {
  const refused = tried.find(({ outcome }) => outcome.verdict === 'refused')
  if (refused !== undefined && !(await passesCheck(project, refused.path, signal)) && !signal.aborted) {
    say('the types or the linter refuse it without a mutation too, so what they refused is not counted')
    return checkTests(
      project,
      tried.filter(({ outcome }) => outcome.verdict !== 'refused'),
      { signal, say },
    )
  }
  const tests = new Set(tried.flatMap(({ outcome }) => outcome.failed))
  if (tests.size === 0 || signal.aborted) return [...tried]
  const { failed } = await runTests(project, [...tests].sort(), { bail: false, signal })
  if (signal.aborted) return [...tried]
  for (const test of failed) say(`fails without a mutation too, so it is not counted: ${test}`)
  return tried.filter(({ outcome }) => !outcome.failed.some((test) => failed.includes(test)))
}
