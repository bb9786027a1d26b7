import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../statistics.ts'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import type { Audience, Stage } from './stage.ts'
import { tell, withDatabase } from './telling.ts'

const SUBSCRIBERS = 5000
/** Messages that are delivered to each of them in a round. */
const MESSAGES = 100
/** Messages that are written at once. */
const TOLD_AT_ONCE = 10
const ROUNDS = 3
/** Milliseconds for a round. */
const PATIENCE_MS = 120_000

/** Messages to many listeners, and what a core can send. */
export async function measureDeliveries(stage: Stage, audience: Audience, figures: Figures): Promise<string> {
  let heard = 0
  const { tokens, channel, org, databaseUrl } = audience
  const clients = await openClients(Math.min(SUBSCRIBERS, tokens.length), (index) => ({
    ...{ url: stage.urls[0] ?? '', channel, token: tokens[index] ?? '' },
    heard: () => heard++,
  }))
  const rates: { readonly second: number; readonly core: number }[] = []
  await withDatabase(databaseUrl, async (client) => {
    const deliver = async (messages: number) => {
      const wanted = heard + clients.length * messages
      const [start, before] = [performance.now(), await stage.holder.usage()]
      for (let told = 0; told < messages; told += TOLD_AT_ONCE) await tell(client, org, TOLD_AT_ONCE)
      while (heard < wanted && performance.now() - start < PATIENCE_MS) await sleep(5)
      if (heard !== wanted) throw new Error(`${wanted - heard} of ${wanted} deliveries are missing`)
      const [seconds, after] = [(performance.now() - start) / 1000, await stage.holder.usage()]
      const deliveries = clients.length * messages
      const cpu = before && after ? after.cpu - before.cpu : Number.NaN
      return { second: deliveries / seconds, core: deliveries / cpu }
    }
    // Compilers and buffers.
    await deliver(TOLD_AT_ONCE)
    for (let round = 0; round < ROUNDS; round++) rates.push(await deliver(MESSAGES))
  })
  await closeClients(clients)
  const cores = rates.map(({ core }) => core)
  figures.set(`${stage.engine} deliveries a second of a core`, median(cores))
  return (
    `deliveries to ${clients.length}: ${rounded(median(rates.map(({ second }) => second)))}/s, ` +
    `${rounded(median(cores))} a second of a core (${cores.map(rounded).join('; ')})`
  )
}
