import { Cursors } from '#lib/pagination/cursors.ts'
import { withClient } from '../environment/database.ts'
import type { DatabaseName, Lab, OwnSubject } from '../environment/lab.ts'
import { middleOfList } from '../environment/seed.ts'
import { JWT_SECRET } from '../environment/service.ts'
import { requestsOf } from '../environment/subject.ts'
import { type Contestant, httpContestant } from './contestant.ts'
import { guestsUnderLoad, type Scenario, underLoad } from './scenario.ts'

/** Names that ratios refer to; the numbers are those of a whole run. */
export const LIST_SMALL = 'small table, first page'
const LIST_SMALL_DEEP = 'small table, middle'
export const LIST_LARGE = 'large table, first page'
export const LIST_LARGE_DEEP = 'large table, middle'
export const LIST_OF_100 = 'small table, 100 users'
/** Follows the names of other servers. */
export const OF_100 = ', 100 users'

export const list: Scenario = {
  id: 3,
  slug: 'list',
  title: 'GET /api/v1/users?limit=50, and 100',
  async contestants(lab) {
    const small = await lab.service('groundwork on the small table')
    const large = await lab.service('groundwork on the large table', { database: 'large' })
    const guests = await lab.guests(small)
    return [
      ...(await pages(lab, small, 'small', [LIST_SMALL, LIST_SMALL_DEEP])),
      ...(await pages(lab, large, 'large', [LIST_LARGE, LIST_LARGE_DEEP])),
      underLoad(lab, small, 'list_of_100', { name: LIST_OF_100 }),
      ...guestsUnderLoad(lab, guests, 'list'),
      ...guestsUnderLoad(lab, guests, 'list_of_100', { suffix: OF_100 }),
    ]
  },
}

/** The first page and one that begins in the middle of the table, which a client gets to by its cursor. */
async function pages(
  lab: Lab,
  service: OwnSubject,
  database: DatabaseName,
  names: [string, string],
): Promise<Contestant[]> {
  const middle = await withClient(await lab.database(database), middleOfList)
  // Made as the service makes them: to walk there would take ten thousand requests.
  const cursor = new Cursors(JWT_SECRET).encode('users', middle)
  const requests = requestsOf(service, 'list').map((request) => ({
    ...request,
    path: `${request.path}&cursor=${cursor}`,
  }))
  const { generator, connections } = lab.options
  return [
    underLoad(lab, service, 'list', { name: names[0] }),
    httpContestant(generator, {
      name: names[1],
      isOwn: true,
      server: service.server,
      requests,
      connections,
    }),
  ]
}
