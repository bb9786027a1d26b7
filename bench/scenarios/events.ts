import { join } from 'node:path'
import type { Lab } from '../environment/lab.ts'
import { measureDeliveries } from './deliveries.ts'
import { measurePublishing, measureSealing } from './relays.ts'
import { type FigureOptions, type Scenario, underLoad } from './scenario.ts'

export const TOLD = 'create project'
export const UNTOLD = 'create project, without event and entry'

/** Accounts that write in turn. */
const ACCOUNTS = 60

export const events: Scenario = {
  id: 12,
  slug: 'events',
  title: 'Events: what a write with its event and audit entry costs, and when others hear of it',
  async contestants(lab) {
    const preload = join(import.meta.dirname, '../baselines/without-events.ts')
    const told = await lab.service('groundwork', { users: ACCOUNTS })
    const untold = await lab.service('groundwork, no events', { users: ACCOUNTS, preload })
    return [
      underLoad(lab, told, 'create_project', { name: TOLD, users: ACCOUNTS }),
      underLoad(lab, untold, 'create_project', { name: UNTOLD, users: ACCOUNTS }),
    ]
  },
  async figures(lab: Lab, options: FigureOptions) {
    await lab.endServers()
    return [
      ...(await measureDeliveries(lab, options)),
      ...(await measureSealing(lab, options)),
      ...(await measurePublishing(lab, options)),
    ]
  },
}
