/**
 * Measures realtime: `npm run bench:realtime -- [--sockets 10000] [--engine embedded]`: memory and CPU of idle sockets,
 * deliveries a second of a core, commit to delivery, revocation, and what telling adds to business writes
 * (docs/realtime/performance.md). With Centrifugo on the PATH, beside it. Exits with 1 when it fails, and with 2 for
 * arguments that it does not know.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { wholeNumber } from './arguments.ts'
import { startPostgres } from './environment/database.ts'
import {
  measureDeliveries,
  measureIdle,
  measureLatency,
  measureRevocation,
  measureWrites,
} from './realtime/measure.ts'
import { type Audience, createAudience, HAS_CENTRIFUGO, startStage } from './realtime/stage.ts'

const USAGE =
  'Usage: npm run bench:realtime -- [--sockets <n>] [--engine embedded|centrifugo] [--only idle|deliveries|latency|revocation|writes|unheard]\n'

type Engine = 'embedded' | 'centrifugo'

interface Wanted {
  readonly sockets: number
  readonly engines: readonly Engine[]
  readonly only: string | undefined
}

const wanted = readWanted(process.argv.slice(2))
if (wanted === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else await run(wanted)

function readWanted(args: string[]): Wanted | undefined {
  try {
    const options = {
      sockets: { type: 'string', default: '10000' },
      engine: { type: 'string' },
      only: { type: 'string' },
    } as const
    const { sockets, engine, only } = parseArgs({ args, options }).values
    const all: readonly Engine[] = HAS_CENTRIFUGO ? ['embedded', 'centrifugo'] : ['embedded']
    const engines = all.filter((one) => engine === undefined || one === engine)
    return engines.length > 0 ? { sockets: wholeNumber(sockets, '--sockets'), engines, only } : undefined
  } catch {
    return undefined
  }
}

async function run({ sockets, engines, only }: Wanted): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-realtime-'))
  const postgres = await startPostgres(join(directory, 'cluster'))
  const wants = (name: string) => only === undefined || only === name
  try {
    const url = await postgres.createDatabase('bench', 0, { policies: true })
    const audience = await createAudience(url, sockets)
    for (const engine of engines) await measureEngine(engine, { directory, url, audience, wants })
    if (wants('unheard')) {
      const stage = await startStage('embedded', directory, url, { APP_AUTH__CACHE: 'false' })
      await measureIdle('embedded, without hearing of changes', stage, audience)
      await stage.stop()
    }
    if (wants('writes')) await measureWrites(directory, url, audience)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  } finally {
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

interface Place {
  readonly directory: string
  readonly url: string
  readonly audience: Audience
  readonly wants: (name: string) => boolean
}

async function measureEngine(engine: Engine, { directory, url, audience, wants }: Place): Promise<void> {
  const parts = {
    idle: measureIdle,
    deliveries: measureDeliveries,
    latency: measureLatency,
    revocation: measureRevocation,
  }
  for (const [name, measure] of Object.entries(parts)) {
    if (!wants(name)) continue
    const stage = await startStage(engine, directory, url)
    try {
      await measure(engine, stage, audience, url)
    } finally {
      await stage.stop()
    }
  }
}
