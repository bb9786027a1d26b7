/**
 * Measures the service beside what it is compared with: `npm run bench -- --help` (docs/performance.md).
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { type Arguments, parseArguments, USAGE } from './arguments.ts'
import { Progress } from './report/progress.ts'
import { runScenarios } from './run.ts'

const args = readArguments(process.argv.slice(2))
if (args) {
  try {
    await runScenarios(args, new Progress())
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}

function readArguments(argv: string[]): Arguments | undefined {
  if (argv.includes('--help')) {
    process.stdout.write(USAGE)
    return undefined
  }
  try {
    return parseArguments(argv)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}
