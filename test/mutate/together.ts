import { availableParallelism } from 'node:os'
import { withMutations } from './mutated.ts'
import type { Project } from './project.ts'
import type { Candidate } from './sample.ts'
import { type Outcome, runTests } from './trial.ts'

interface Options {
  readonly tests: readonly string[]
  readonly signal: AbortSignal
  readonly say: (message: string) => void
}

/**
 * Tries mutants that are in the code at once, so that many tests are run once for all of them. What fails is run for
 * each of them alone, and then again without those that it noticed.
 *
 * @returns what noticed which of them; undefined when it was stopped
 */
export async function tryTogether(
  project: Project,
  candidates: readonly Candidate[],
  options: Options,
): Promise<Map<Candidate, Outcome> | undefined> {
  const noticed = new Map<Candidate, Outcome>()
  let left = [...candidates]
  let files = options.tests
  while (left.length > 0 && files.length > 0) {
    files = await failuresOf(project, left, { ...options, tests: files })
    const found = await noticedBy(project, files.length > 0 ? left : [], { ...options, tests: files })
    if (options.signal.aborted) return undefined
    for (const [candidate, outcome] of found) noticed.set(candidate, outcome)
    left = left.filter((candidate) => !found.has(candidate))
    if (found.size === 0) break
  }
  if (files.length > 0 && left.length > 0)
    options.say(`fails with mutants together, and with none alone: ${files.join(', ')}`)
  return noticed
}

/** Returns the files that fail with mutants and not without. */
async function failuresOf(
  project: Project,
  candidates: readonly Candidate[],
  { tests, signal }: Options,
): Promise<string[]> {
  const options = { bail: false, places: availableParallelism(), signal }
  const { failed } = await withMutations(project, candidates, () => runTests(project, tests, options))
  const always = failed.length > 0 ? (await runTests(project, failed, options)).failed : []
  return failed.filter((file) => !always.includes(file))
}

/** Tries each mutant alone; returns those that were noticed. */
async function noticedBy(
  project: Project,
  candidates: readonly Candidate[],
  { tests, signal }: Options,
): Promise<Map<Candidate, Outcome>> {
  const noticed = new Map<Candidate, Outcome>()
  for (const candidate of candidates) {
    const outcome = await withMutations(project, [candidate], () =>
      runTests(project, tests, { bail: true, signal }),
    )
    if (outcome.verdict !== 'passed') noticed.set(candidate, outcome)
  }
  return noticed
}
