import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apply, type Mutation, mutationsOf } from './mutations.ts'
import type { Project } from './project.ts'
import type { Results } from './results.ts'
import { runTests } from './trial.ts'

/** Results for a file's mutants. */
export interface FileReport {
  readonly path: string
  readonly made: number
  readonly noticed: number
  /** Left for another run. */
  readonly untried: number
}

interface Options {
  /** From the project's root. */
  readonly path: string
  /** `10-40`; all of them when undefined. */
  readonly lines: string | undefined
  readonly tests: readonly string[]
  readonly results: Results
  /** Most mutants; beyond it some are chosen, evenly over the file. */
  readonly max: number
  /** Time by `performance.now()`. */
  readonly deadline: number
  readonly signal: AbortSignal
  readonly say: (message: string) => void
}

/** Milliseconds that the tests may take without a mutation. */
const BASELINE_LIMIT = 600_000
/** How much longer they may take with one, and the milliseconds that are added for a machine that is busy. */
const SLACK = { factor: 3, more: 20_000 }

/**
 * Tries the mutants of one file, and says which of them no test notices.
 *
 * @throws Error when the tests fail without any mutation
 */
export async function tryFile(project: Project, options: Options): Promise<FileReport> {
  const { path, tests, results, deadline, signal, say } = options
  const text = readFileSync(join(project.directory, path), 'utf8')
  const mutants = choose(mutationsOf(path, text).filter(within(options.lines)), options.max)
  say(`${path}: ${mutants.length} mutants, ${tests.length} test files`)
  const left = mutants.filter((mutation) => results.find(mutation) === undefined)
  const limit = left.length > 0 ? await measure(project, tests) : 0
  let [made, noticed] = [0, 0]
  for (const mutation of mutants) {
    let verdict = results.find(mutation)
    if (verdict === undefined) {
      if (signal.aborted || performance.now() > deadline) break
      writeFileSync(join(project.directory, path), apply(text, mutation))
      verdict = await runTests(project.directory, tests, limit)
      results.keep(mutation, verdict)
    }
    made++
    if (verdict === 'passed') say(`not noticed: ${path}:${mutation.line}: ${mutation.description}`)
    else noticed++
  }
  writeFileSync(join(project.directory, path), text)
  return { path, made, noticed, untried: mutants.length - made }
}

/** Returns the milliseconds that the tests may take. */
async function measure(project: Project, tests: readonly string[]): Promise<number> {
  const start = performance.now()
  const verdict = await runTests(project.directory, tests, BASELINE_LIMIT)
  if (verdict !== 'passed')
    throw new Error(`without a mutation the tests have ${verdict}: ${tests.join(' ')}`)
  return (performance.now() - start) * SLACK.factor + SLACK.more
}

function within(lines: string | undefined): (mutation: Mutation) => boolean {
  if (lines === undefined) return () => true
  const [first = 0, last = first] = lines.split('-').map(Number)
  return ({ line }) => line >= first && line <= last
}

function choose<T>(all: readonly T[], max: number): T[] {
  if (all.length <= max) return [...all]
  return Array.from({ length: max }, (_, index) => all[Math.floor((index * all.length) / max)]).filter(
    (item) => item !== undefined,
  )
}
