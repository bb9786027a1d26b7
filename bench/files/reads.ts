import { once } from 'node:events'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { median, quantile } from '../statistics.ts'
import { send } from './requests.ts'
import type { FilesStage } from './stage.ts'
import { say } from './transfers.ts'
import type { Uploads } from './uploads-thread.ts'

/** Uploads at once, and bytes a second of each, as of a client with a good line. */
const [UPLOADS, LINE] = [16, 2 * 1024 * 1024]

/** Reads a second, and seconds for which there are: p99 has to be more than a few values. */
const [RATE, SECONDS] = [200, 40]

/** Milliseconds for which uploads run before the first read and after the last. */
const MARGIN_MS = 1000

/** Seconds of reads before the first round. */
const WARM_UP = 8

/** Milliseconds from request to answer, of reads that come at a steady rate, whatever becomes of those before. */
async function readSteadily(
  { service, token }: FilesStage,
  agent: Agent,
  seconds = SECONDS,
): Promise<number[]> {
  const times: number[] = []
  const reads: Promise<void>[] = []
  const begin = performance.now()
  for (let n = 0; n < RATE * seconds; n++) {
    const early = begin + (n * 1000) / RATE - performance.now()
    if (early > 1) await sleep(early)
    // Not from when it was due: a timer is late by a millisecond, which would be most of either latency.
    const sent = performance.now()
    const read = send(`${service.origin}/api/v1/users/me`, token, { agent })
    reads.push(read.then(() => void times.push(performance.now() - sent)))
  }
  await Promise.all(reads)
  return times
}

/** The same while uploads run, which another thread sends: this one only reads. */
async function readBeside(stage: FilesStage, agent: Agent): Promise<number[]> {
  const bytes = LINE * (SECONDS + (2 * MARGIN_MS) / 1000)
  const { token, service } = stage
  const workerData: Uploads = { origin: service.origin, token, count: UPLOADS, bytes, speed: LINE }
  const thread = new Worker(new URL('./uploads-thread.ts', import.meta.url), { workerData })
  const ended = once(thread, 'exit')
  await sleep(MARGIN_MS)
  const times = await readSteadily(stage, agent)
  await ended
  return times
}

/** p99 of reads alone, and while uploads run, in an order that turns with each round. */
export async function measureReads(stage: FilesStage): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  await readSteadily(stage, agent, WARM_UP)
  const ratios: number[] = []
  const all: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] }
  for (let round = 0; round < stage.rounds; round++) {
    const first = round % 2 === 0 ? await readSteadily(stage, agent) : undefined
    const beside = await readBeside(stage, agent)
    const alone = first ?? (await readSteadily(stage, agent))
    all.alone.push(...alone)
    all.beside.push(...beside)
    ratios.push(quantile(beside, 0.99) / quantile(alone, 0.99))
    say(`${RATE} reads a second: ${told(alone)} alone, ${told(beside)} beside ${UPLOADS} uploads of 2 MiB/s`)
  }
  agent.destroy()
  const ratio = quantile(all.beside, 0.99) / quantile(all.alone, 0.99)
  say(
    `p99 of reads beside ${UPLOADS} uploads / alone: ${ratio.toFixed(2)} of all ${all.alone.length} reads each, ` +
      `${median(ratios).toFixed(2)} by rounds (${ratios.map((one) => one.toFixed(2)).join(', ')})`,
  )
}

const told = (times: readonly number[]) =>
  `p50 ${median(times).toFixed(2)} and p99 ${quantile(times, 0.99).toFixed(2)} ms`
