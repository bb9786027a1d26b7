import { v7 as uuidv7 } from 'uuid'
import { median } from '../statistics.ts'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import { type Audience, type Stage, startStage } from './stage.ts'

const LISTENERS = 10
const WRITERS = 8
const ROUNDS = 7
const ROUND_MS = 3000
/** Milliseconds of writes before the first round, for compilers. */
const WARM_UP_MS = 4000

/** A service with a database of its own, so that nobody else tells what is written there. */
interface Side {
  readonly stage: Stage
  readonly audience: Audience
}

/** Business writes with somebody who is told of them, and without realtime, in turn. */
export async function measureWrites(
  directory: string,
  audiences: { readonly told: Audience; readonly untold: Audience },
  figures: Figures,
): Promise<string> {
  const told: Side = {
    stage: await startStage('embedded', directory, audiences.told.databaseUrl),
    audience: audiences.told,
  }
  const untold: Side = {
    stage: await startStage('none', directory, audiences.untold.databaseUrl),
    audience: audiences.untold,
  }
  let heard = 0
  const { org, tokens } = audiences.told
  const clients = await openClients(LISTENERS, (index) => ({
    ...{
      url: told.stage.urls[0] ?? '',
      channel: `organizations:${org}:projects`,
      token: tokens[index] ?? '',
    },
    heard: () => heard++,
  }))
  const ratios: number[] = []
  const rates = { told: [] as number[], untold: [] as number[] }
  for (const side of [told, untold]) await writeFor(WARM_UP_MS, side)
  for (let round = 0; round < ROUNDS; round++) {
    const [with_, without] = [await writeFor(ROUND_MS, told), await writeFor(ROUND_MS, untold)]
    rates.told.push(with_)
    rates.untold.push(without)
    ratios.push(with_ / without)
  }
  if (heard === 0) throw new Error('nobody was told of the writes')
  await closeClients(clients)
  for (const { stage } of [told, untold]) await stage.stop()
  figures.set('writes told / not told', median(ratios))
  return (
    `writes: ${rounded(median(rates.told))}/s that are told to ${LISTENERS} listeners, ` +
    `${rounded(median(rates.untold))}/s without realtime: ${rounded(median(ratios))} times ` +
    `(${ratios.map(rounded).join(', ')})`
  )
}

/** Returns the projects that were created in a second. */
async function writeFor(milliseconds: number, { stage, audience }: Side): Promise<number> {
  const end = performance.now() + milliseconds
  let count = 0
  const write = async (token: string) => {
    while (performance.now() < end) {
      const response = await fetch(`${stage.service.origin}/api/v1/organizations/${audience.org}/projects`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: uuidv7() }),
      })
      await response.text()
      if (response.status !== 201) throw new Error(`a write was answered ${response.status}`)
      count++
    }
  }
  await Promise.all(audience.tokens.slice(0, WRITERS).map(write))
  return (count * 1000) / milliseconds
}
