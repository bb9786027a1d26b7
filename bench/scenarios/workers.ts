import { findKey } from '#config/engine/keys.ts'
import { type Scenario, underLoad } from './scenario.ts'

const KEY = 'server.workers'

export const ONE = 'one process'
export const TWO = 'two workers'

export const workers: Scenario = {
  id: 8,
  slug: 'workers',
  title: 'GET /api/v1/users/me, one process and two workers',
  skip: findKey(KEY) ? undefined : `the service has no ${KEY}`,
  async contestants(lab) {
    const variable = findKey(KEY)?.variable ?? ''
    const one = await lab.service(ONE)
    const two = await lab.service(TWO, { env: { [variable]: '2' } })
    return [underLoad(lab, one, 'me'), underLoad(lab, two, 'me')]
  },
}
