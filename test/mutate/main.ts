/**
 * Changes a line at a time and looks whether a test notices (docs/decisions/030):
 * `npm run mutate -- FILE[:FROM-TO]... [--max 40]`, or `npm run mutate -- --sample 200 [--seed 1] [FOLDER]...` for
 * mutants by chance, of all files or those of folders; with `[--minutes 60] [--goal 95] [--test FILE]... [--fresh]`.
 *
 * Works in a copy of the project with a PostgreSQL of its own. Each mutant is tried with the tests near it, for so many
 * minutes. What these do not notice is then tried together with all that `npm test` runs, shown to the types and the
 * linter, and tried with the nearest tests that start processes. What was tried is kept in .data/mutate/ until the file
 * or the tests change that it depends on, so a run that was stopped goes on where it was.
 *
 * Exits with 1 when `npm test` noticed fewer than --goal percent of the mutants that the types and the linter accept.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { offerHelp, refuseArguments } from '#commands/run-command.ts'
import { sharedFiles } from '#test/support/shared-files.ts'
import { mutationsOf } from './mutations.ts'
import { copyProject } from './project.ts'
import { findTestsIn } from './related.ts'
import { openResults, type Results } from './results.ts'
import { type Candidate, choose, FOLDERS, sampleOf } from './sample.ts'
import { nameOf, type Tried, tryAll, tryEach, tryOthers, withoutFalse } from './try-mutants.ts'

const ROOT = join(import.meta.dirname, '../..')
/** The files that `npm test` runs. */
const SHARED = sharedFiles()

const USAGE =
  'Usage: npm run mutate -- FILE[:FROM-TO]... [--max N] [--minutes N] [--goal N] [--test FILE]... [--fresh]\n' +
  '       npm run mutate -- --sample N [--seed N] [--minutes N] [--goal N] [FOLDER]...\n'

offerHelp(USAGE)

const { values, positionals } = readArguments()

if (positionals.length === 0 && values.sample === undefined) {
  refuseArguments(USAGE)
} else {
  const candidates =
    values.sample === undefined
      ? positionals.flatMap(mutantsOf)
      : sampleOf(ROOT, positionals.length > 0 ? positionals : FOLDERS, values.seed).slice(
          0,
          Number(values.sample),
        )
  const tried = await tryInCopy(candidates)
  process.exitCode = report(candidates, tried, Number(values.goal)) ? 0 : 1
}

function readArguments() {
  const options = {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    max: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '60' },
    goal: { type: 'string', default: '95' },
    test: { type: 'string', multiple: true },
    fresh: { type: 'boolean', default: false },
  } as const
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch {
    refuseArguments(USAGE)
    process.exit()
  }
}

/** Mutants of a file that is named as in the command line. */
function mutantsOf(argument: string): Candidate[] {
  const [path = '', lines] = argument.split(':')
  const [first = 0, last = first] = lines?.split('-').map(Number) ?? [0, Number.POSITIVE_INFINITY]
  const all = mutationsOf(path, readFileSync(join(ROOT, path), 'utf8'))
  const mutations = all.filter(({ line }) => line >= first && line <= last)
  return choose(mutations, Number(values.max)).map((mutation) => ({ path, mutation }))
}

async function tryInCopy(candidates: readonly Candidate[]): Promise<Tried[]> {
  const deadline = performance.now() + Number(values.minutes) * 60_000
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
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
  const { test } = values
  const options = { results, signal: stop.signal, say }
  try {
    if (test !== undefined) {
      const tried = await tryEach(project, candidates, { ...options, tests: () => test, all: [], deadline })
      return await withoutFalse(project, tried, options)
    }
    const find = findTestsIn(ROOT)
    const near = (candidate: Candidate) => find(candidate).near
    const each = await tryEach(project, candidates, { ...options, tests: near, all: SHARED, deadline })
    const all = await tryAll(project, each, SHARED, options)
    return await withoutFalse(project, await tryOthers(project, all, find, options), options)
  } finally {
    await project.remove()
  }
}

/** Prints the sums, for files or the folders of a sample; returns whether enough was noticed. */
function report(candidates: readonly Candidate[], tried: readonly Tried[], goal: number): boolean {
  const groupOf = ({ path }: Candidate) => (values.sample === undefined ? path : path.split('/')[0])
  say('')
  for (const one of tried)
    if (one.outcome.verdict !== 'failed' || !isNoticed(one)) say(`${byWhat(one)}: ${nameOf(one)}`)
  say('')
  for (const [name, those] of Map.groupBy(tried, groupOf)) say(`${name}: ${counted(those)}`)
  if (tried.length < candidates.length) say(`${candidates.length - tried.length} were not tried`)
  const accepted = tried.filter(({ outcome }) => outcome.verdict !== 'refused')
  const noticed = tried.filter(isNoticed).length
  const percent = accepted.length === 0 ? 100 : (100 * noticed) / accepted.length
  say(`${counted(tried)}: ${percent.toFixed(1)} % of those that could land, and ${goal} % are wanted`)
  return percent >= goal
}

/** Whether tests that `npm test` runs noticed a mutant, or those that were asked for. */
function isNoticed({ outcome }: Tried): boolean {
  return outcome.failed.some((test) => SHARED.includes(test) || values.test?.includes(test))
}

/** Says what noticed a mutant that `npm test` did not, or only because a test did not go on. */
function byWhat({ outcome: { verdict, failed } }: Tried): string {
  if (verdict === 'passed') return 'not noticed'
  if (verdict === 'refused') return 'refused by the types or the linter'
  return verdict === 'timeout' ? `does not go on in ${failed.join(', ')}` : `noticed by ${failed.join(', ')}`
}

function counted(tried: readonly Tried[]): string {
  const refused = tried.filter(({ outcome }) => outcome.verdict === 'refused').length
  const passed = tried.filter(({ outcome }) => outcome.verdict === 'passed').length
  const noticed = tried.filter(isNoticed).length
  const others = tried.length - noticed - refused - passed
  const parts = [
    `${noticed} of ${tried.length} noticed`,
    refused > 0 ? `${refused} refused by the types or the linter` : '',
    others > 0 ? `${others} noticed by tests of processes alone` : '',
    passed > 0 ? `${passed} not noticed` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
