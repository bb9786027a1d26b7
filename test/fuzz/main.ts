import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { offerHelp, refuseArguments } from '#commands/run-command.ts'
import { describe, fuzz, unreached } from './fuzz.ts'

// npm run fuzz -- --runs 1000000 [--seed N] [--operation id]...: requests made from the document, for a night.

const USAGE = 'Usage: npm run fuzz [-- --runs N] [--seed N] [--operation ID]...\n'

offerHelp(USAGE)

const { runs, seed, only } = readArguments()
const teardowns: (() => unknown)[] = []
const began = Date.now()
let told = 0

say(`seed ${seed}`)
try {
  const report = await fuzz(
    { teardown: (end) => void teardowns.push(end) },
    {
      runs,
      seed,
      only,
      onProgress: tell,
      // At once, so that a night that is cut short has not been for nothing.
      onFinding: (finding) => say(describe(finding)),
    },
  )
  const { findings, tallies, errors } = report
  for (const [operationId, { sent, valid, succeeded }] of tallies) {
    say(`${operationId.padEnd(26)} ${sent} requests; ${succeeded} of ${valid} right ones succeeded`)
  }
  if (errors.length > 0) say(`\n${errors.length} errors in the log, the first is\n${errors[0]?.trimEnd()}`)
  say(`\n${findings.length} findings; npm run fuzz -- --runs ${runs} --seed ${seed} repeats this`)
  for (const line of unreached(report)) say(`not reached: ${line}`)
  process.exitCode = findings.length + errors.length + unreached(report).length > 0 ? 1 : 0
} finally {
  for (const end of teardowns.reverse()) await end()
}

/** Progress, every few seconds. */
function tell(sent: number): void {
  const seconds = Math.round((Date.now() - began) / 1000)
  if (seconds < told + 5) return
  told = seconds
  say(`${sent} of ${runs} requests, ${seconds} s`)
}

function readArguments(): { runs: number; seed: number; only: string[] | undefined } {
  const options = {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    operation: { type: 'string', multiple: true },
  } as const
  try {
    const { values } = parseArgs({ options })
    const seed = values.seed === undefined ? randomInt(2 ** 31) : wholeNumber(values.seed)
    return { runs: wholeNumber(values.runs), seed, only: values.operation }
  } catch {
    refuseArguments(USAGE)
    process.exit()
  }
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${text} is not a whole number`)
  return value
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
