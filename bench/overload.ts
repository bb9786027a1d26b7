/**
 * Offers the service more than it can serve, and counts what it does: `npm run bench:overload -- [--seconds 10]
 * [--operation list] [--env KEY=value] [--output directory]` (docs/performance.md). Exits with 1 when it fails,
 * and with 2 for arguments that it does not know.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { offerHelp } from '#commands/run-command.ts'
import { variable, wholeNumber } from './arguments.ts'
import { withLab } from './environment/open-lab.ts'
import {
  drawSteps,
  judge,
  type Overload,
  renderSteps,
  renderStorm,
  renderVerdicts,
} from './overload/report.ts'
import { FACTORS, measureCapacity, measureSteps } from './overload/steps.ts'
import { measureStorm } from './overload/storm.ts'
import { Progress } from './report/progress.ts'

const USAGE =
  'Usage: npm run bench:overload -- [--seconds <n>] [--operation list|me|update|none]... [--env KEY=value]... ' +
  '[--output <directory>]\n'
const OPERATIONS = ['list', 'me', 'update'] as const

interface Arguments {
  seconds: number
  operations: (typeof OPERATIONS)[number][]
  env: Record<string, string>
  output: string
}

offerHelp(USAGE)

const args = readArguments(process.argv.slice(2))
if (args) {
  try {
    await run(args)
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}

function readArguments(argv: string[]): Arguments | undefined {
  const options = {
    seconds: { type: 'string', default: '10' },
    operation: { type: 'string', multiple: true },
    env: { type: 'string', multiple: true },
    output: { type: 'string' },
  } as const
  try {
    const { values } = parseArgs({ args: argv, options })
    return {
      seconds: wholeNumber(values.seconds, '--seconds'),
      operations: (values.operation ?? ['list', 'me']).flatMap(operation),
      env: Object.fromEntries((values.env ?? []).map(variable)),
      output: values.output ?? join(import.meta.dirname, 'results'),
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}

function operation(name: string): Arguments['operations'] {
  if (name === 'none') return []
  const known = OPERATIONS.find((each) => each === name)
  if (known === undefined) throw new Error(`--operation is one of ${OPERATIONS.join(', ')}, none`)
  return [known]
}

async function run({ seconds, operations, env, output }: Arguments): Promise<void> {
  const progress = new Progress()
  const total = operations.length * (FACTORS.length + 1) + 4
  const onStep = (what: string) => progress.step(1 / total, what)
  progress.begin(0, 1)
  const options = {
    sizes: { small: 1000, large: 1000, open: 1000 },
    connections: 64,
    generator: undefined,
    env,
    guests: [],
    onWork: (what: string) => progress.note(what),
  }
  const print = (text: string) => {
    progress.clear()
    process.stdout.write(`${text}\n`)
  }
  const { overloads, storm } = await withLab(options, async (lab) => {
    const service = await lab.service(undefined, { users: 32 })
    const overloads: Overload[] = []
    for (const name of operations) {
      const capacity = await measureCapacity(lab, service, name, { seconds, onStep })
      const overload = { ...capacity, steps: await measureSteps(service, capacity, { seconds, onStep }) }
      overloads.push(overload)
      print(renderSteps(overload))
    }
    const me = await measureCapacity(lab, service, 'me', { seconds, onStep })
    const storm = await measureStorm(service, me.capacity, { seconds, onStep })
    print(renderStorm(storm))
    return { overloads, storm }
  })
  print(renderVerdicts(overloads.flatMap(judge)))
  await mkdir(output, { recursive: true })
  await writeFile(join(output, 'overload.json'), `${JSON.stringify({ overloads, storm }, null, 2)}\n`)
  for (const overload of overloads) {
    await writeFile(join(output, `overload-${overload.operation}.svg`), drawSteps(overload))
  }
}
