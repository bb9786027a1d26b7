import { findKey } from '#config/engine/keys.ts'
import { withClient } from '../environment/database.ts'
import type { Lab } from '../environment/lab.ts'
import { emailOf } from '../environment/seed.ts'
import plainFastify from '../targets/plain-fastify.json' with { type: 'json' }
import { parseTarget } from '../targets/target.ts'
import type { Contestant } from './contestant.ts'
import { limitContestant } from './limits.ts'
import { BARE_HTTP } from './live.ts'
import { guestsUnderLoad, type Scenario, underLoad } from './scenario.ts'

/** The server that ours is compared with most: a file like those of other people's servers. */
export const PLAIN_FASTIFY = parseTarget(plainFastify)

/** The key that makes every request ask PostgreSQL who the user is. */
const CACHE_KEY = 'auth.cache'

export const WITHOUT_CACHE = 'groundwork, cache off'

export const me: Scenario = {
  id: 2,
  slug: 'me',
  title: 'GET /api/v1/users/me',
  async contestants(lab) {
    const service = await lab.service()
    const plain = await lab.start(PLAIN_FASTIFY, service)
    const bare = await lab.start(BARE_HTTP, service)
    return [
      underLoad(lab, service, 'me'),
      ...(await withoutCache(lab)),
      underLoad(lab, plain, 'me'),
      underLoad(lab, bare, 'live'),
      await selectLimit(lab),
      ...guestsUnderLoad(lab, await lab.guests(service), 'me'),
    ]
  },
}

async function withoutCache(lab: Lab): Promise<Contestant[]> {
  const key = findKey(CACHE_KEY)
  if (key === undefined) return []
  const env = { [key.variable]: 'false' }
  return [underLoad(lab, await lab.service(WITHOUT_CACHE, { env }), 'me')]
}

async function selectLimit(lab: Lab): Promise<Contestant> {
  const url = await lab.database('small')
  const id = await withClient(url, async (client) => {
    const text = 'SELECT id FROM users WHERE case_fold(email) = case_fold($1)'
    const { rows } = await client.query<{ id: string }>(text, [emailOf(1)])
    return rows[0]?.id ?? ''
  })
  const callers = String(lab.options.connections)
  return limitContestant('the SELECT alone', 'select-limit', (seconds) => [id, String(seconds), callers], url)
}
