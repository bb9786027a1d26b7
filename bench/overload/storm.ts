import type { OwnSubject } from '../environment/lab.ts'
import { requestsOf } from '../environment/subject.ts'
import { type OpenResult, runOpenLoop } from '../load/open-loop.ts'
import { limitContestant } from '../scenarios/limits.ts'
import type { StepOptions } from './steps.ts'
import { CONNECTIONS, GREETING, PATIENCE } from './steps.ts'

/** Logins in multiples of what the machine can hash. */
const FACTOR = 5

/** Share of what `me` can do that is asked for beside the logins: what is left when hashing has its cores. */
const SHARE = 0.2

/** Results for other routes while far too many users sign in. */
export interface Storm {
  /** Passwords that the machine can check in a second. */
  hashes: number
  factor: number
  logins: OpenResult
  /** The other route, before and during the storm. */
  calm: OpenResult
  during: OpenResult
}

/** Sends logins at five times the hashing capacity, beside a modest load of reads. */
export async function measureStorm(
  service: OwnSubject,
  capacityOfMe: number,
  { seconds, onStep }: StepOptions,
): Promise<Storm> {
  onStep('login: what the machine can hash')
  const { requests_per_second: hashes } = await limitContestant('', 'argon2-limit', (time) => [
    String(time),
  ]).measure(seconds)
  const { origin } = service.server
  const common = { origin, seconds, connections: CONNECTIONS, patience: PATIENCE, greeting: GREETING }
  const reads = { ...common, requests: requestsOf(service, 'me'), rate: capacityOfMe * SHARE }
  const logins = {
    ...common,
    requests: requestsOf(service, 'login', service.users.length),
    rate: hashes * FACTOR,
    // A queue of 64 takes a second or two, which people do wait when they sign in.
    patience: 5 * PATIENCE,
  }
  onStep('me: alone')
  const calm = await runOpenLoop(reads)
  onStep(`me: beside ${FACTOR} times the logins`)
  const [during, stormed] = await Promise.all([runOpenLoop(reads), runOpenLoop(logins)])
  return { hashes, factor: FACTOR, logins: stormed, calm, during }
}
