/**
 * Measures realtime: `npm run bench:realtime -- [--sockets 10000] [--engine embedded] [--only latency,writes]`: memory and
 * processor time of idle sockets, deliveries a second of a core, commit to delivery, revocation, and what all of it costs
 * the writes and reads of the service (docs/realtime/performance.md). With Centrifugo on the PATH, beside it. Exits with 1
 * when it fails, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { wholeNumber } from './arguments.ts'
import { type Place, runBench } from './own-run.ts'
import { measureDeliveries } from './realtime/deliveries.ts'
import { type Figures, goalsOf } from './realtime/goals.ts'
import { measureIdle } from './realtime/idle.ts'
import { measureLatency } from './realtime/latency.ts'
import { measureReads } from './realtime/reads.ts'
import { measureRevocation } from './realtime/revocation.ts'
import { type Audience, createAudience, type Engine, HAS_CENTRIFUGO, startStage } from './realtime/stage.ts'
import { measureWrites } from './realtime/writes.ts'
import { renderGoals } from './report/goals.ts'

/** In the order in which they are measured. */
const PARTS = [
  ...['latency', 'writes', 'reads', 'revocation'],
  ...['deliveries', 'idle', 'presence', 'unheard'],
] as const
const USAGE = `Usage: npm run bench:realtime -- [--sockets <n>] [--engine embedded|centrifugo] [--only <part>,...]
Parts: ${PARTS.join(', ')}
`
/** Nodes over which sessions end. */
const NODES = 3

interface Wanted {
  readonly sockets: number
  readonly engines: readonly Engine[]
  readonly parts: readonly string[]
}

/** Those that are measured with each engine. */
const OF_ENGINES = {
  idle: measureIdle,
  deliveries: measureDeliveries,
  latency: measureLatency,
  revocation: measureRevocation,
}

await runBench({ name: 'realtime', usage: USAGE, read, work })

function read(args: string[]): Wanted | undefined {
  const options = {
    sockets: { type: 'string', default: '10000' },
    engine: { type: 'string' },
    only: { type: 'string', default: PARTS.join(',') },
  } as const
  const { sockets, engine, only } = parseArgs({ args, options }).values
  const all: readonly Engine[] = HAS_CENTRIFUGO ? ['embedded', 'centrifugo'] : ['embedded']
  const engines = all.filter((one) => engine === undefined || one === engine)
  const parts = only.split(',')
  const isKnown = engines.length > 0 && parts.every((part) => PARTS.some((name) => name === part))
  return isKnown ? { sockets: wholeNumber(sockets, '--sockets'), engines, parts } : undefined
}

async function work({ sockets, engines, parts }: Wanted, place: Place): Promise<void> {
  const figures: Figures = new Map()
  const url = await place.postgres.createDatabase('bench', 0, { policies: true })
  const audience = await createAudience(url, sockets)
  for (const part of PARTS)
    if (parts.includes(part)) await measure(part, { ...place, audience, engines, figures })
  process.stdout.write(`\n${renderGoals(goalsOf(figures))}\n`)
}

interface RealtimePlace extends Place {
  readonly audience: Audience
  readonly engines: readonly Engine[]
  readonly figures: Figures
}

async function measure(part: (typeof PARTS)[number], place: RealtimePlace): Promise<void> {
  const { directory, postgres, audience, engines, figures } = place
  const say = (name: string, line: string) => process.stdout.write(`${name}: ${line}\n`)
  if (part === 'writes') {
    const url = await postgres.createDatabase('untold', 0, { policies: true })
    const untold = await createAudience(url, 10)
    say('embedded', await measureWrites(directory, { told: audience, untold }, figures))
  } else if (part === 'reads') {
    say('embedded', await measureReads(directory, audience, figures))
  } else if (part === 'presence' || part === 'unheard') {
    const isUnheard = part === 'unheard'
    const env: Record<string, string> = isUnheard ? { APP_AUTH__CACHE: 'false' } : {}
    const channel = isUnheard ? audience.channel : `organizations:${audience.org}`
    const kind = isUnheard ? ', without hearing of changes' : ' on a channel with presence'
    await onStage('embedded', place, { env }, (stage) =>
      measureIdle(stage, { ...audience, channel }, figures, kind),
    )
  } else {
    const nodes = part === 'revocation' ? NODES : 1
    for (const engine of engines)
      await onStage(engine, place, { nodes }, (stage) => OF_ENGINES[part](stage, audience, figures))
  }

  async function onStage(
    engine: Engine,
    { audience: { databaseUrl } }: RealtimePlace,
    options: Parameters<typeof startStage>[3],
    work: (stage: Awaited<ReturnType<typeof startStage>>) => Promise<string>,
  ): Promise<void> {
    const stage = await startStage(engine, directory, databaseUrl, options)
    try {
      say(engine, await work(stage))
    } finally {
      await stage.stop()
    }
  }
}
