import { join } from 'node:path'
import { parseTarget } from '../targets/target.ts'
import { guestsUnderLoad, type Scenario, underLoad } from './scenario.ts'

/** node:http without anything: what no server in Node gets past. */
export const BARE_HTTP = parseTarget({
  name: 'bare node:http',
  start: {
    command: ['node', join(import.meta.dirname, '../baselines/bare-http.ts')],
    env: { PORT: '{port}' },
    ready: '/',
  },
  operations: { live: { path: '/live' } },
})

export const live: Scenario = {
  id: 1,
  slug: 'live',
  title: 'GET /live',
  async contestants(lab) {
    const service = await lab.service()
    const bare = await lab.start(BARE_HTTP, service)
    return [
      underLoad(lab, service, 'live'),
      underLoad(lab, bare, 'live'),
      ...guestsUnderLoad(lab, await lab.guests(service), 'live'),
    ]
  },
}
