import type { Lab } from '../environment/lab.ts'
import { requestsOf } from '../environment/subject.ts'
import { median } from '../statistics.ts'
import type { Figure, FigureOptions } from './scenario.ts'

export const FIRST_SECOND = 'p99 of the first second of load'
export const STEADY = 'p99 of a second later on'

/** Seconds of load between the two. */
const WARM_UP = 8

/** The latency of a process that has just started, for which nothing is compiled yet, and of the same when it is warm. */
export async function measureFirstSecond(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  const { generator, connections } = lab.options
  const [first, steady]: [number[], number[]] = [[], []]
  for (let start = 0; start < (quick ? 1 : 5); start++) {
    const service = await lab.service()
    onWork('the first second')
    const load = { origin: service.server.origin, requests: requestsOf(service, 'me'), connections }
    first.push((await generator.run({ ...load, seconds: 1 })).p99)
    await generator.run({ ...load, seconds: quick ? 1 : WARM_UP })
    steady.push((await generator.run({ ...load, seconds: 1 })).p99)
    await lab.endServers()
  }
  return [
    { name: FIRST_SECOND, value: median(first), unit: 'ms' },
    { name: STEADY, value: median(steady), unit: 'ms' },
  ]
}
