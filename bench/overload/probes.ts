import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../statistics.ts'

/** How a path answered while others were refused; times in milliseconds. */
export interface ProbeResult {
  path: string
  asked: number
  /** Answers that were not 200, or did not come. */
  failed: number
  p50: number
  worst: number
}

/** Milliseconds between two questions, and after which a probe gives up, as an orchestrator would. */
const INTERVAL = 200
const GIVE_UP = 3000

/** Asks for the paths again and again, as orchestrators and Prometheus do, until `work` is done. */
export async function probeDuring<T>(
  origin: string,
  paths: readonly string[],
  work: () => Promise<T>,
): Promise<{ result: T; probes: ProbeResult[] }> {
  const state = { over: false }
  const probing = paths.map((path) => probe(`${origin}${path}`, path, state))
  try {
    const result = await work()
    return { result, probes: await finish() }
  } finally {
    state.over = true
  }

  function finish(): Promise<ProbeResult[]> {
    state.over = true
    return Promise.all(probing)
  }
}

async function probe(url: string, path: string, state: { over: boolean }): Promise<ProbeResult> {
  const times: number[] = []
  let failed = 0
  while (!state.over) {
    const begin = performance.now()
    if ((await statusOf(url)) !== 200) failed++
    times.push(performance.now() - begin)
    await sleep(INTERVAL)
  }
  return { path, asked: times.length, failed, p50: quantile(times, 0.5), worst: Math.max(0, ...times) }
}

/** Asks over a new connection, so that connecting is measured too; undefined if no complete response arrives. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const options = { agent: false, signal: AbortSignal.timeout(GIVE_UP) }
    const asked = get(url, options, (response) => {
      response.resume()
      response.on('close', () => resolve(response.complete ? response.statusCode : undefined))
    })
    asked.on('error', () => resolve(undefined))
  })
}
