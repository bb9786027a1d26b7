/**
 * Changes a line at a time and looks whether a test notices (docs/decisions/030):
 * `npm run mutate -- FILE[:FROM-TO]... [--max 40] [--minutes 60] [--test FILE]... [--fresh]`.
 *
 * Works in a copy of the project with a PostgreSQL of its own. What was tried is kept in .data/mutate/ until the file or
 * its tests change, so a run that was stopped goes on where it was. Exits with 1 when fewer than --goal percent of the
 * mutants were noticed.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyProject } from './project.ts'
import { relatedTests } from './related.ts'
import { openResults } from './results.ts'
import { type FileReport, tryFile } from './try-file.ts'

const ROOT = join(import.meta.dirname, '../..')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    max: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '60' },
    goal: { type: 'string', default: '95' },
    test: { type: 'string', multiple: true },
    fresh: { type: 'boolean', default: false },
  },
})

if (positionals.length === 0) {
  process.stderr.write(
    'Usage: npm run mutate -- FILE[:FROM-TO]... [--max N] [--minutes N] [--goal N] [--test FILE]...\n',
  )
  process.exitCode = 2
} else {
  const deadline = performance.now() + Number(values.minutes) * 60_000
  const project = await copyProject(ROOT)
  const reports: FileReport[] = []
  // Ends after the mutant that is being tried, so that the copy and its PostgreSQL are cleaned up.
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    for (const argument of positionals) {
      const [path = '', lines] = argument.split(':')
      const tests = values.test ?? relatedTests(path)
      const results = openResults(ROOT, { path, tests, fresh: values.fresh })
      const options = {
        path,
        lines,
        tests,
        results,
        max: Number(values.max),
        deadline,
        signal: stop.signal,
        say,
      }
      reports.push(await tryFile(project, options))
    }
  } finally {
    await project.remove()
  }
  process.exitCode = report(reports, Number(values.goal)) ? 0 : 1
}

/** Prints the sums; returns whether enough was noticed. */
function report(reports: readonly FileReport[], goal: number): boolean {
  const sum = { made: 0, noticed: 0 }
  say('')
  for (const { path, made, noticed, untried } of reports) {
    sum.made += made
    sum.noticed += noticed
    say(`${path}: ${noticed} of ${made} noticed${untried > 0 ? `, ${untried} not tried` : ''}`)
  }
  const percent = sum.made === 0 ? 100 : (100 * sum.noticed) / sum.made
  say(`${sum.noticed} of ${sum.made} noticed: ${percent.toFixed(1)} %, and ${goal} % are wanted`)
  return percent >= goal
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
