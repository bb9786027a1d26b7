import { Agent } from 'node:http'
import { median } from '../statistics.ts'
import { send } from './requests.ts'
import type { FilesStage } from './stage.ts'
import { say } from './transfers.ts'

/** Small files of a round, their bytes, and clients that send them. */
const [SMALL, SMALL_BYTES, CLIENTS] = [1000, 10_000, 16]

/** Requests before the first round. */
const WARM_UP = 200

/** A way to write something small, and what it took. */
interface Way {
  readonly name: string
  write(): Promise<unknown>
  /** Written a second, of each round. */
  readonly rates: number[]
  /** Microseconds of processor time of one, in the service and in PostgreSQL, of each round. */
  readonly costs: { readonly service: number; readonly postgres: number }[]
}

/** Runs work so many times in all, by several at once; returns how many a second. */
async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  let left = count
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) await work()
    }),
  )
  return (count * 1000) / (performance.now() - begin)
}

/** A write of JSON, and a small file in two requests, in one, and by tus with the creation. */
function waysOf({ service, token, org }: FilesStage, agent: Agent): Way[] {
  const at = (path: string) => `${service.origin}/api/v1/${path}`
  const json = { method: 'POST', type: 'application/json', agent }
  const body = Buffer.alloc(SMALL_BYTES, 'x')
  let name = 0
  const way = (name: string, write: () => Promise<unknown>): Way => ({ name, write, rates: [], costs: [] })
  return [
    way('projects', () =>
      send(at(`organizations/${org}/projects`), token, { ...json, body: `{"name":"project ${name++}"}` }),
    ),
    way('files, created and sent', async () => {
      const made = await send(at('files'), token, { ...json, body: '{"name":"a"}' })
      const { id }: { id: string } = JSON.parse(made)
      await send(at(`files/${id}/content`), token, { method: 'PUT', type: 'text/plain', body, agent })
    }),
    way('files, in one request', () =>
      send(at('files/content?name=a'), token, { method: 'POST', type: 'text/plain', body, agent }),
    ),
    way('files, by tus with the creation', () =>
      send(at('uploads'), token, {
        ...{ method: 'POST', type: 'application/offset+octet-stream', body, agent },
        headers: { 'tus-resumable': '1.0.0', 'upload-length': String(SMALL_BYTES) },
      }),
    ),
  ]
}

/** Small files beside a write of JSON, in rate and in processor time, which says the same on a busy machine. */
export async function measureSmallFiles(stage: FilesStage): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const ways = waysOf(stage, agent)
  for (const { write } of ways) await rateOf(WARM_UP, write)
  // Plans that were made for empty tables read all of them.
  await stage.analyze()
  for (let round = 0; round < stage.rounds; round++) for (const way of ways) await measure(stage, way)
  agent.destroy()
  const [projects, ...others] = ways
  for (const { name, rates, costs } of ways) {
    const [service, postgres] = (['service', 'postgres'] as const).map((part) =>
      Math.round(median(costs.map((cost) => cost[part]))),
    )
    say(
      `${name}: ${Math.round(median(rates))} a second, each ${service} us in the service and ${postgres} in PostgreSQL`,
    )
  }
  const total = (way: Way | undefined, round: number) => {
    const { service, postgres } = way?.costs[round] ?? { service: Number.NaN, postgres: Number.NaN }
    return service + postgres
  }
  for (const way of others) {
    const rate = median(way.rates.map((one, round) => one / (projects?.rates[round] ?? Number.NaN)))
    const cost = median(way.rates.map((_, round) => total(way, round) / total(projects, round)))
    say(`${way.name} / projects: ${rate.toFixed(2)} of the rate, ${cost.toFixed(2)} of the processor time`)
  }
}

async function measure({ service, postgres }: FilesStage, { write, rates, costs }: Way): Promise<void> {
  const cpu = async () => ({
    service: (await service.usage())?.cpu ?? Number.NaN,
    postgres: (await postgres.usage())?.cpu ?? Number.NaN,
  })
  const before = await cpu()
  rates.push(await rateOf(SMALL, write))
  const after = await cpu()
  const each = (part: 'service' | 'postgres') => ((after[part] - before[part]) / SMALL) * 1e6
  costs.push({ service: each('service'), postgres: each('postgres') })
}
