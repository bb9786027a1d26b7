import type { Lab } from '../environment/lab.ts'
import { requestsOf, type Subject } from '../environment/subject.ts'
import type { Contestant } from './contestant.ts'
import { ACCOUNTS, LOGINS } from './login.ts'
import { type Scenario, underLoad } from './scenario.ts'

export const CALM = 'me alone'
export const STORM = 'me while logins storm'

export const storm: Scenario = {
  id: 6,
  slug: 'storm',
  title: 'GET /api/v1/users/me while logins take all hashes',
  chart: 'p99',
  async contestants(lab) {
    const service = await lab.service(undefined, { users: ACCOUNTS })
    const alone = underLoad(lab, service, 'me', { name: CALM })
    return [
      alone,
      { name: STORM, isOwn: true, measure: (seconds) => besideLogins(lab, service, alone, seconds) },
    ]
  },
}

/** Returns the reads' sample; its processor time covers both. */
async function besideLogins(lab: Lab, service: Subject, reads: Contestant, seconds: number) {
  const logins = {
    origin: service.server.origin,
    requests: requestsOf(service, 'login', ACCOUNTS),
    connections: LOGINS,
    seconds,
  }
  const [sample] = await Promise.all([reads.measure(seconds), lab.options.generator.run(logins)])
  return sample
}
