/**
 * Changes a line at a time and looks whether a test notices (docs/decisions/030):
 * `npm run mutate -- FILE[:FROM-TO]... [--max 40]`, or `npm run mutate -- --sample 200 [--seed 1] [FOLDER]...` for
 * mutants by chance, of all files or those of folders; with `[--minutes 60] [--goal 95] [--test FILE]... [--fresh]`.
 *
 * Works in a copy of the project with a PostgreSQL of its own. What was tried is kept in .data/mutate/ until the file
 * or the tests change that it depends on, so a run that was stopped goes on where it was. What no test notices is shown
 * to the types and the linter. Exits with 1 when fewer than --goal percent of the mutants were noticed or refused.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { offerHelp } from '#commands/run-command.ts'
import { mutationsOf } from './mutations.ts'
import { copyProject } from './project.ts'
import { findTestsIn } from './related.ts'
import { openResults, type Results } from './results.ts'
import { type Candidate, choose, FOLDERS, sampleOf } from './sample.ts'
import type { Verdict } from './trial.ts'
import { checkTests, type Tried, tryMutants } from './try-mutants.ts'

const ROOT = join(import.meta.dirname, '../..')

const USAGE =
  'Usage: npm run mutate -- FILE[:FROM-TO]... [--max N] [--minutes N] [--goal N] [--test FILE]... [--fresh]\n' +
  '       npm run mutate -- --sample N [--seed N] [--minutes N] [--goal N] [FOLDER]...\n'

offerHelp(USAGE)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    max: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '60' },
    goal: { type: 'string', default: '95' },
    test: { type: 'string', multiple: true },
    fresh: { type: 'boolean', default: false },
  },
})

if (positionals.length === 0 && values.sample === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  const candidates =
    values.sample === undefined
      ? positionals.flatMap(mutantsOf)
      : sampleOf(ROOT, positionals.length > 0 ? positionals : FOLDERS, values.seed).slice(
          0,
          Number(values.sample),
        )
  const tried = await tryAll(candidates)
  process.exitCode = report(candidates, tried, Number(values.goal)) ? 0 : 1
}

/** Mutants of a file that is named as in the command line. */
function mutantsOf(argument: string): Candidate[] {
  const [path = '', lines] = argument.split(':')
  const [first = 0, last = first] = lines?.split('-').map(Number) ?? [0, Number.POSITIVE_INFINITY]
  const all = mutationsOf(path, readFileSync(join(ROOT, path), 'utf8'))
  const mutations = all.filter(({ line }) => line >= first && line <= last)
  return choose(mutations, Number(values.max)).map((mutation) => ({ path, mutation }))
}

async function tryAll(candidates: readonly Candidate[]): Promise<Tried[]> {
  const deadline = performance.now() + Number(values.minutes) * 60_000
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  const { test } = values
  const tests = test === undefined ? findTestsIn(ROOT) : () => test
  say(`${candidates.length} mutants of ${new Set(candidates.map(({ path }) => path)).size} files`)
  const project = await copyProject(ROOT)
  const opened = new Map<string, Results>()
  const results = (path: string): Results => {
    // The project may change meanwhile; the copy does not.
    const about = { root: project.directory, path, fresh: values.fresh }
    const open = opened.get(path) ?? openResults(join(ROOT, '.data/mutate'), about)
    opened.set(path, open)
    return open
  }
  const { signal } = stop
  try {
    const tried = await tryMutants(project, candidates, { tests, results, deadline, signal, say })
    return await checkTests(project, tried, { signal, say })
  } finally {
    await project.remove()
  }
}

/** Prints the sums, for files or the folders of a sample; returns whether enough was noticed. */
function report(candidates: readonly Candidate[], tried: readonly Tried[], goal: number): boolean {
  const nameOf = ({ path }: Candidate) => (values.sample === undefined ? path : path.split('/')[0])
  say('')
  for (const [name, those] of Map.groupBy(tried, nameOf)) say(`${name}: ${counted(those)}`)
  if (tried.length < candidates.length) say(`${candidates.length - tried.length} were not tried`)
  const percent = tried.length === 0 ? 100 : 100 - (100 * count(tried, 'passed')) / tried.length
  say(`${counted(tried)}: ${percent.toFixed(1)} %, and ${goal} % are wanted`)
  return percent >= goal
}

function counted(tried: readonly Tried[]): string {
  const noticed = count(tried, 'failed') + count(tried, 'timeout')
  const refused = count(tried, 'refused')
  return `${noticed} of ${tried.length} noticed${refused > 0 ? `, ${refused} more refused by the types or the linter` : ''}`
}

function count(tried: readonly Tried[], verdict: Verdict): number {
  return tried.filter(({ outcome }) => outcome.verdict === verdict).length
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
