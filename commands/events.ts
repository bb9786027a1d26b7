/**
 * Works on the events that are kept (docs/events.md):
 * `npm run events -- republish --since 2026-01-31T08:00:00Z` publishes what happened since then to the broker again, with
 * the same ids; `--since` also takes a duration, such as `2h`: so long ago.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { parseDuration } from '#config/engine/units.ts'
import { republish } from '#services/events/republish.ts'
import { readTime } from './read-time.ts'
import { note, offerHelp, runCommand } from './run-command.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = 'Usage: npm run events -- republish --since <time>|<duration>\n'

offerHelp(USAGE)

await runCommand(parseArguments(process.argv.slice(2)), USAGE, run)

/** Returns the time since which events are published again; undefined for arguments that are wrong. */
function parseArguments(args: string[]): Date | undefined {
  try {
    const options = { since: { type: 'string' } } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (positionals.length !== 1 || positionals[0] !== 'republish') return undefined
    return values.since === undefined ? undefined : parseTime(values.since)
  } catch {
    return undefined
  }
}

function parseTime(text: string): Date | undefined {
  const ago = parseDuration(text)
  return ago === undefined ? readTime(text) : new Date(Date.now() - ago)
}

async function run(since: Date): Promise<void> {
  await withApp(commandConfig(), async (app) => {
    const count = await republish(app.db, since)
    process.stdout.write(`Events since ${since.toISOString()} that wait for the broker again: ${count}\n`)
    if (!app.ctx.broker.isUsed) note('There is neither a broker nor a consumer; they wait for one.')
  })
}
