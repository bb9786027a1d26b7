import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../environment/lab.ts'
import { median } from '../statistics.ts'
import { measureFirstSecond } from './first-second.ts'
import { measureInstall } from './install.ts'
import { ACCOUNTS } from './login.ts'
import { mixOf, openSessions } from './mix.ts'
import type { Figure, FigureOptions, Scenario } from './scenario.ts'

export const STARTUP = 'start to /ready, database migrated'
const MEMORY_IDLE = 'memory, idle'
export const MEMORY_MIDDLE = 'memory, after half of the requests'
export const MEMORY_AFTER = 'memory, after all of them'

const REQUESTS = 1_000_000
const QUICK_REQUESTS = 20_000

/** Milliseconds that a service has to come to rest. */
const REST = 3000

/** Seconds of load between two looks at the memory. */
const SLICE = 5

export const cost: Scenario = {
  id: 9,
  slug: 'cost',
  title: 'Cost: start, memory under the mix, installation',
  async figures(lab, options) {
    return [
      ...(await measureStartup(lab, options)),
      ...(await measureFirstSecond(lab, options)),
      ...(await measureMemory(lab, options)),
      ...(options.quick ? [] : await measureInstall(lab.options.directory, options)),
    ]
  },
}

async function measureStartup(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  const times: number[] = []
  // The first one migrates.
  for (let start = 0; start <= (quick ? 3 : 7); start++) {
    const { server } = await lab.service('groundwork', { users: 0 })
    if (start > 0) times.push(server.startup)
    await lab.endServers()
  }
  onWork('at rest')
  return [{ name: STARTUP, value: median(times), unit: 'ms' }]
}

async function measureMemory(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  const service = await lab.service(undefined, { users: ACCOUNTS })
  const url = await lab.database('small')
  const memory = async () => (await service.server.usage())?.memory ?? Number.NaN
  await sleep(REST)
  const figures: Figure[] = [{ name: MEMORY_IDLE, value: await memory(), unit: 'bytes' }]
  const load = {
    origin: service.server.origin,
    requests: mixOf(service),
    connections: lab.options.connections,
    seconds: quick ? 1 : SLICE,
  }
  const total = quick ? QUICK_REQUESTS : REQUESTS
  let middle: number | undefined
  for (let done = 0; done < total; ) {
    onWork(`${done.toLocaleString('en')} of ${total.toLocaleString('en')} requests`)
    await openSessions(url, load.seconds)
    const { requests, refused } = await lab.options.generator.run(load)
    if (requests === 0) throw new Error(`No request is served any more; ${refused} were refused.`)
    done += requests
    if (done >= total / 2) middle ??= await memory()
    await service.server.emptyLog()
  }
  figures.push({ name: MEMORY_MIDDLE, value: middle ?? Number.NaN, unit: 'bytes' })
  figures.push({ name: MEMORY_AFTER, value: await memory(), unit: 'bytes' })
  return figures.filter(({ value }) => !Number.isNaN(value))
}
