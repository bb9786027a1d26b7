/**
 * Shows what is in the queues, and puts back what was given up:
 * `npm run jobs` sums up the queues;
 * `npm run jobs -- list [queue] [--state waiting|retrying|active|dead] [--limit 100]` lists jobs, oldest first;
 * `npm run jobs -- dead [queue] [--limit 100]` lists those that were given up, with the error of the last attempt;
 * `npm run jobs -- retry [queue]` puts those back into their queues.
 * `--json` prints lists for programs. Exits with 1 when it fails, which an unknown queue does too, and with 2 for
 * arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { type ListedJob, listJobs, overview } from '#lib/jobs/overview.ts'
import { redactText } from '#lib/log/redaction.ts'
import { offerHelp, runCommand } from './run-command.ts'
import { renderAge, renderTable } from './table.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = `Usage: npm run jobs [-- --json]
       npm run jobs -- list [queue] [--state waiting|retrying|active|dead] [--limit <n>] [--json]
       npm run jobs -- dead [queue] [--limit <n>] [--json]
       npm run jobs -- retry [queue]
`

offerHelp(USAGE)

const STATES: readonly ListedJob['state'][] = ['waiting', 'retrying', 'active', 'dead']

/** Jobs that are listed unless it is said how many. */
const LIMIT = '100'

interface Arguments {
  readonly action: 'overview' | 'list' | 'retry'
  readonly queue: string | undefined
  readonly state: ListedJob['state'] | undefined
  readonly limit: number
  readonly json: boolean
}

/** The queue that somebody named is not there; the message says which are. */
class UnknownQueue extends Error {
  // Its words are for people (lib/advice/explain-failure.ts).
  override name = 'UnknownQueue'
}

await runCommand(parseArguments(process.argv.slice(2)), USAGE, run)

function parseArguments(args: string[]): Arguments | undefined {
  const options = {
    state: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean', default: false },
  } as const
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [name = 'overview', queue, ...rest] = positionals
    const state = STATES.find((known) => known === (name === 'dead' ? 'dead' : values.state))
    const action = name === 'dead' ? 'list' : name
    if (action !== 'overview' && action !== 'list' && action !== 'retry') return undefined
    const isFiltered = values.state !== undefined || values.limit !== undefined
    if (rest.length > 0 || (action !== 'list' && isFiltered)) return undefined
    if (positionals[0] === 'overview' || (action === 'retry' && values.json)) return undefined
    if (values.state !== undefined && (name === 'dead' || state === undefined)) return undefined
    const { limit = LIMIT } = values
    return /^[1-9]\d{0,5}$/.test(limit)
      ? { action, queue, state, limit: Number(limit), json: values.json }
      : undefined
  } catch {
    return undefined
  }
}

async function run(options: Arguments): Promise<void> {
  process.stdout.write(await withApp(commandConfig(), (app) => act(app, options)))
}

async function act(app: FastifyInstance, { action, ...options }: Arguments): Promise<string> {
  const names = await app.jobs.names()
  if (options.queue !== undefined && !names.includes(options.queue)) {
    throw new UnknownQueue(`There is no queue ${options.queue}. There are: ${names.toSorted().join(', ')}.`)
  }
  if (action === 'retry') return `Put back: ${await app.jobs.retryDead(options.queue)}\n`
  return action === 'list' ? list(app, options) : sumUp(app, names, options.json)
}

async function sumUp(app: FastifyInstance, names: readonly string[], json: boolean): Promise<string> {
  const queues = await overview(app.db, names)
  if (json) return renderJson(queues)
  const rows = queues.map((row) => [
    row.queue,
    ...[row.waiting, row.retrying, row.active, row.dead].map(String),
    renderAge(row.oldest_age),
  ])
  return renderTable([['QUEUE', 'WAITING', 'RETRYING', 'ACTIVE', 'DEAD', 'OLDEST DUE'], ...rows])
}

async function list(
  app: FastifyInstance,
  { queue, state, limit, json }: Omit<Arguments, 'action'>,
): Promise<string> {
  const jobs = (await listJobs(app.db, { queue, state, limit })).map((job) => ({
    ...job,
    error: job.error === null ? null : redactText(job.error),
  }))
  if (json) return renderJson(jobs)
  const rows = jobs.map((job) => [
    job.id,
    job.queue,
    job.state,
    renderAge(job.age),
    String(job.attempts),
    // On one line, and out of the terminal's own language.
    JSON.stringify(job.error ?? '').slice(1, -1),
  ])
  const more = jobs.length === limit ? `The oldest ${limit}; --limit shows more.\n` : ''
  return renderTable([['ID', 'QUEUE', 'STATE', 'AGE', 'ATTEMPTS', 'ERROR'], ...rows]) + more
}

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
