/**
 * Measures the service beside what it is compared with: `npm run bench -- --help` (docs/performance.md).
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */

import { join, relative } from 'node:path'
import { offerHelp } from '#commands/run-command.ts'
import { type Arguments, parseArguments, USAGE } from './arguments.ts'
import { renderGoals } from './report/goals.ts'
import { Progress } from './report/progress.ts'
import { judgeGoals } from './report/ratios.ts'
import { summarise, writeResults } from './report/results.ts'
import { runScenarios } from './run.ts'

const RESULTS = join(import.meta.dirname, 'results')
const PARTIAL_RESULTS = join(import.meta.dirname, '../.data/bench/results')

const args = readArguments(process.argv.slice(2))
if (args) {
  try {
    await bench(args)
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}

async function bench(args: Arguments): Promise<void> {
  const started_at = new Date().toISOString()
  const progress = new Progress()
  const { machine, outcomes } = await runScenarios(args, progress)
  progress.clear()
  const goals = judgeGoals(outcomes)
  process.stdout.write(renderGoals(goals))
  const directory = args.output ?? (isWhole(args) ? RESULTS : PARTIAL_RESULTS)
  await writeResults(directory, summarise({ machine, started_at, goals }, args, outcomes), outcomes)
  process.stdout.write(`\nWritten to ${relative(process.cwd(), directory)}\n`)
}

/** Whether a run is one to be kept. */
function isWhole({ quick, scenarios }: Arguments): boolean {
  return !quick && scenarios.length === 0
}

function readArguments(argv: string[]): Arguments | undefined {
  offerHelp(USAGE)
  try {
    return parseArguments(argv)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}
