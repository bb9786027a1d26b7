import { join } from 'node:path'
import type { Lab, OwnSubject } from '../environment/lab.ts'
import { requestsOf, send } from '../environment/subject.ts'
import { textAt } from '../targets/target.ts'
import type { Contestant } from './contestant.ts'
import { type Scenario, underLoad } from './scenario.ts'

export const PROJECT = 'one project'
export const PROJECT_BY_KEY = 'one project, by an API key'
export const OPEN_PROJECT = 'one project, without policy and context'
export const PROJECTS_ALONE = 'list of 50, organization alone'
export const PROJECTS_AMONG = 'list of 50, organization among others'

export const projects: Scenario = {
  id: 11,
  slug: 'projects',
  title: 'Projects of an organization of ten thousand',
  async contestants(lab) {
    const alone = await lab.service('groundwork, one organization')
    const among = await lab.service('groundwork, many organizations', { database: 'large' })
    return [
      underLoad(lab, alone, 'project', { name: PROJECT }),
      underLoad(lab, await withKey(alone), 'project', { name: PROJECT_BY_KEY }),
      await withoutPolicies(lab),
      underLoad(lab, alone, 'projects', { name: PROJECTS_ALONE }),
      underLoad(lab, among, 'projects', { name: PROJECTS_AMONG }),
    ]
  },
}

/** The same read by the same route, of a table without policies and by a statement without a context. */
async function withoutPolicies(lab: Lab): Promise<Contestant> {
  const preload = join(import.meta.dirname, '../baselines/without-scope.ts')
  const service = await lab.service('groundwork, no policies', { database: 'open', preload })
  return underLoad(lab, service, 'project', { name: OPEN_PROJECT })
}

/** The same service, called with an API key in place of a session's token. */
async function withKey(service: OwnSubject): Promise<OwnSubject> {
  const [request] = requestsOf(service, 'create_api_key')
  const [user] = service.users
  if (request === undefined || user === undefined) throw new Error('nobody may create a key')
  const token = textAt(JSON.parse(await send(service.server.origin, request)), '/key')
  if (token === undefined) throw new Error('the answer holds no key')
  return { ...service, users: [{ ...user, token }] }
}
