import { reserveNumbers } from '../load/load.ts'
import { limitContestant } from './limits.ts'
import { guestsUnderLoad, type Scenario, underLoad } from './scenario.ts'

/** Accounts that are changed in turn, so that no two requests wait for the same row. */
const ACCOUNTS = 60

/** Rows that one limit's round may insert. */
const ROWS = 1_000_000

export const UPDATE = 'groundwork, update'
/** Follows the names of other servers. */
export const UPDATED = ', update'
export const INSERT = 'groundwork, create project'
export const INSERTED = ', create project'

export const writes: Scenario = {
  id: 4,
  slug: 'writes',
  title: 'PATCH /api/v1/users/me, POST /api/v1/users, POST .../projects',
  async contestants(lab) {
    const service = await lab.service(undefined, { users: ACCOUNTS })
    const guests = await lab.guests(service)
    // The same table, without policies.
    const inserting = await lab.guests(service, 'open')
    const url = await lab.database('small')
    const callers = String(lab.options.connections)
    return [
      underLoad(lab, service, 'update', { name: UPDATE, users: ACCOUNTS }),
      underLoad(lab, service, 'create_project', { name: INSERT, users: ACCOUNTS }),
      // Few at once: hashing is most of it, and its queue is short. The time of the hash is in the limit below.
      underLoad(lab, service, 'create', { name: 'groundwork, create', connections: 8 }),
      limitContestant(
        'one INSERT',
        'insert-limit',
        (seconds) => [String(seconds), callers, String(reserveNumbers(ROWS))],
        url,
      ),
      limitContestant('one Argon2id hash', 'argon2-limit', (seconds) => [String(seconds)]),
      ...guestsUnderLoad(lab, guests, 'update', { suffix: UPDATED, users: ACCOUNTS }),
      ...guestsUnderLoad(lab, inserting, 'create_project', { suffix: INSERTED, users: ACCOUNTS }),
      ...guestsUnderLoad(lab, guests, 'create', { suffix: ', create', connections: 8 }),
    ]
  },
}
