import type { Lab, OwnSubject } from '../environment/lab.ts'
import { requestsOf } from '../environment/subject.ts'
import type { RequestTemplate } from '../load/load.ts'
import { type OpenResult, runOpenLoop } from '../load/open-loop.ts'
import type { OperationName } from '../targets/target.ts'
import { type ProbeResult, probeDuring } from './probes.ts'

/** Offered load in multiples of what the service can serve. */
export const FACTORS = [0.5, 1, 1.5, 2, 3, 4, 5]

/** Connections of the open loop: as many as there are clients. */
export const CONNECTIONS = 1000

/** Milliseconds that a client waits for an answer. */
export const PATIENCE = 1000

/** Costs next to nothing. */
export const GREETING: RequestTemplate = { method: 'GET', path: '/live', headers: {} }

/** URLs that must be answered under any load. */
const PROBED = ['/live', '/metrics']

/** Result of one offered load. */
export interface Step extends OpenResult {
  /** Multiple of the capacity. */
  factor: number
  /** Useful answers for each second of the service's own processor time: what others do to the machine is not in it. */
  goodputPerCpu: number | undefined
  probes: ProbeResult[]
}

export interface Capacity {
  operation: OperationName
  /** Right answers in time, a second, to the clients of the steps when they ask as often as a closed loop could. */
  capacity: number
}

export interface StepOptions {
  seconds: number
  onStep: (what: string) => void
}

/**
 * The service's capacity. A closed loop of few connections says how often to ask; many clients get less out of
 * the service, and the steps are about them.
 */
export async function measureCapacity(
  lab: Lab,
  service: OwnSubject,
  operation: OperationName,
  { seconds, onStep }: StepOptions,
): Promise<Capacity> {
  onStep(`${operation}: what it can serve`)
  const load = {
    origin: service.server.origin,
    requests: requestsOf(service, operation, service.users.length),
    connections: lab.options.connections,
  }
  await lab.options.generator.run({ ...load, seconds })
  const { requests, seconds: taken } = await lab.options.generator.run({ ...load, seconds })
  const { goodput } = await offer(service, load.requests, requests / taken, seconds)
  return { operation, capacity: goodput }
}

/** Offers more and more of one operation. */
export async function measureSteps(
  service: OwnSubject,
  { operation, capacity }: Capacity,
  options: StepOptions,
): Promise<Step[]> {
  const requests = requestsOf(service, operation, service.users.length)
  const steps: Step[] = []
  for (const factor of FACTORS) {
    options.onStep(`${operation}: ${factor} times that`)
    steps.push({ factor, ...(await offer(service, requests, capacity * factor, options.seconds)) })
  }
  return steps
}

async function offer(
  { server }: OwnSubject,
  requests: readonly RequestTemplate[],
  rate: number,
  seconds: number,
): Promise<Omit<Step, 'factor'>> {
  await server.emptyLog()
  const before = await server.usage()
  const load = {
    origin: server.origin,
    requests,
    rate,
    seconds,
    connections: CONNECTIONS,
    patience: PATIENCE,
    greeting: GREETING,
  }
  const { result, probes } = await probeDuring(server.origin, PROBED, () => runOpenLoop(load))
  const after = await server.usage()
  const cpu = before && after ? after.cpu - before.cpu : 0
  return { ...result, goodputPerCpu: cpu > 0 ? (result.goodput * seconds) / cpu : undefined, probes }
}
