import { limitContestant } from './limits.ts'
import { guestsUnderLoad, type Scenario, underLoad } from './scenario.ts'

/** Connections that sign in: more than there are cores, fewer than the queue of hashes takes. */
export const LOGINS = 16

/** Accounts that sign in in turn. */
export const ACCOUNTS = 60

export const ARGON2_LIMIT = 'Argon2id alone'

export const login: Scenario = {
  id: 5,
  slug: 'login',
  title: 'POST /api/v1/auth/login',
  async contestants(lab) {
    const service = await lab.service(undefined, { users: ACCOUNTS })
    return [
      underLoad(lab, service, 'login', { users: ACCOUNTS, connections: LOGINS }),
      limitContestant(ARGON2_LIMIT, 'argon2-limit', (seconds) => [String(seconds)]),
      ...guestsUnderLoad(lab, await lab.guests(service), 'login', { connections: LOGINS }),
    ]
  },
}
