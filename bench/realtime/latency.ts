import { setTimeout as sleep } from 'node:timers/promises'
import { median, quantile } from '../statistics.ts'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import type { Audience, Stage } from './stage.ts'
import { tell, withDatabase } from './telling.ts'

const LISTENERS = 10
/** Messages a second, and for how many seconds. */
const RATE = 500
const SECONDS = 12
/**
 * Messages that do not count: a relay that had nothing to do looks after half a second, unless it is in the process that
 * wrote.
 */
const WARM_UP = 2 * RATE
/** Connections that write; one would be late while its disk is. */
const WRITERS = 4
/** Milliseconds in which what was written last is heard. */
const AFTERMATH_MS = 2000

/** From the commit until the last of the listeners has it, of messages that come all the time. */
export async function measureLatency(stage: Stage, audience: Audience, figures: Figures): Promise<string> {
  const { tokens, channel, org, databaseUrl } = audience
  const committed = new Map<string, number>()
  const heard = new Map<string, number>()
  const clients = await openClients(LISTENERS, (index) => ({
    ...{ url: stage.urls[0] ?? '', channel, token: tokens[index] ?? '' },
    heard: (frame, at) => {
      const id = /"id":"([^"]+)"/.exec(frame)?.[1] ?? ''
      heard.set(id, Math.max(at, heard.get(id) ?? 0))
    },
  }))
  const start = performance.now()
  const write = (writer: number) =>
    withDatabase(databaseUrl, async (client) => {
      for (let turn = writer; turn < RATE * SECONDS; turn += WRITERS) {
        const ahead = start + (turn * 1000) / RATE - performance.now()
        if (ahead > 1) await sleep(ahead)
        const [id = ''] = await tell(client, org, 1)
        if (turn >= WARM_UP) committed.set(id, performance.now())
      }
    })
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
  const took = (performance.now() - start) / 1000
  await sleep(AFTERMATH_MS)
  await closeClients(clients)
  const times = [...committed].flatMap(([id, at]) => {
    const until = heard.get(id)
    return until === undefined ? [] : [until - at]
  })
  const p99 = quantile(times, 0.99)
  figures.set(`${stage.engine} latency`, p99)
  return (
    `commit to delivery at ${rounded((RATE * SECONDS) / took)}/s: p50 ${rounded(median(times))} ms, ` +
    `p99 ${rounded(p99)} ms; ${committed.size - times.length} missing`
  )
}
