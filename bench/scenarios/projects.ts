import { join } from 'node:path'
import type { Lab } from '../environment/lab.ts'
import type { Contestant } from './contestant.ts'
import { type Scenario, underLoad } from './scenario.ts'

export const PROJECT = 'one project'
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
