import { parseArgs } from 'node:util'

/** The command line's options. */
export interface Arguments {
  quick: boolean
  /** Ids of scenarios; empty for all. */
  scenarios: number[]
  rounds: number
  seconds: number
  warmUp: number
  connections: number
  generator: 'wrk' | 'autocannon' | undefined
  /** Variables of the service, over those of the run. */
  env: Record<string, string>
  /** Files that describe servers which the run starts. */
  targets: string[]
  /** A server that runs already. */
  guest: { url: string; name: string; pid: number | undefined } | undefined
  output: string | undefined
}

export const USAGE = `Usage: npm run bench -- [options]
  --quick                 two minutes instead of half an hour
  --scenario <n>[,<n>]    only these
  --rounds <n>            measurements of each contestant (5)
  --seconds <n>           of one measurement (10)
  --connections <n>       of the load (64)
  --generator <name>      wrk or autocannon; wrk where it is installed
  --env <KEY=value>       a variable of the service; any number of times
  --target <file>         another server for the run to start, see bench/targets/example.json; any number of times
  --url <url> --name <n>  another server that runs already; --target then says how to talk to it, or it speaks
                          the service's contract; --pid <n> is its process, whose time and memory are measured
  --output <directory>    where the results go
`

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  scenario: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  connections: { type: 'string', default: '64' },
  generator: { type: 'string' },
  env: { type: 'string', multiple: true },
  target: { type: 'string', multiple: true },
  url: { type: 'string' },
  name: { type: 'string' },
  pid: { type: 'string' },
  output: { type: 'string' },
} as const

/**
 * Reads the command line.
 *
 * @throws Error that says what is wrong with it
 */
export function parseArguments(args: string[]): Arguments {
  const { values } = parseArgs({ args, options: OPTIONS })
  const { quick, generator } = values
  if (generator !== undefined && generator !== 'wrk' && generator !== 'autocannon') {
    throw new Error('--generator is wrk or autocannon')
  }
  return {
    quick,
    scenarios: (values.scenario ?? []).flatMap((list) =>
      list.split(',').map((id) => wholeNumber(id, '--scenario')),
    ),
    rounds: wholeNumber(values.rounds ?? (quick ? '3' : '5'), '--rounds'),
    seconds: wholeNumber(values.seconds ?? (quick ? '1' : '10'), '--seconds'),
    warmUp: quick ? 2 : 5,
    connections: wholeNumber(values.connections, '--connections'),
    generator,
    env: Object.fromEntries((values.env ?? []).map(variable)),
    targets: values.target ?? [],
    guest: guestOf(values),
    output: values.output,
  }
}

function guestOf(values: { url?: string; name?: string; pid?: string }): Arguments['guest'] {
  const { url, name, pid } = values
  if (url === undefined) {
    if (name !== undefined || pid !== undefined) throw new Error('--name and --pid go with --url')
    return undefined
  }
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new Error('--url is an http or https URL')
  return {
    url: url.replace(/\/$/, ''),
    name: name ?? new URL(url).host,
    pid: pid === undefined ? undefined : wholeNumber(pid, '--pid'),
  }
}

/** @throws Error for any other text */
export function wholeNumber(text: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} takes a whole number from 1, not ${text}`)
  return Number(text)
}

/** Reads `KEY=value`. */
export function variable(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`--env takes KEY=value, not ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}
