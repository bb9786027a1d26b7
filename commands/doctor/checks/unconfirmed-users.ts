import type pg from 'pg'
import { askDatabase } from '../ask-database.ts'
import { type Check, type Finding, off, problem, unchecked, warning } from '../check.ts'

interface Unconfirmed {
  users: number
  admins: number
  /** Admins who can sign in. */
  able_admins: number
}

/** Users who registered before `auth.registration` was `verify`, and never confirmed their address. */
const check: Check = {
  name: 'unconfirmed users',
  reads: ['database', 'auth.registration'],
  async run({ config }) {
    if (config.database.url === undefined || config.auth.registration !== 'verify') {
      const what = 'Nobody has to confirm an address, or the embedded PostgreSQL is used.'
      return [off(what, 'auth.registration, database.url', 'docs/operations/accounts.md')]
    }
    const how = 'As the checks of the database and the migrations say.'
    return askDatabase(
      config.database,
      async (client) => examine(await count(client)),
      unchecked('They cannot be counted.', 'Some may not be able to sign in.', how),
    )
  },
}
export default check

/** @reads users */
async function count(client: pg.Client): Promise<Unconfirmed> {
  const { rows } = await client.query<Unconfirmed>(
    `SELECT count(*) FILTER (WHERE email_verified_at IS NULL)::int AS users,
            count(*) FILTER (WHERE email_verified_at IS NULL AND role = 'admin')::int AS admins,
            count(*) FILTER (WHERE email_verified_at IS NOT NULL AND role = 'admin')::int AS able_admins
     FROM users WHERE is_active AND password_hash IS NOT NULL`,
  )
  return rows[0] ?? { users: 0, admins: 0, able_admins: 0 }
}

function examine({ users, admins, able_admins }: Unconfirmed): Finding[] {
  if (users === 0) return []
  const who = `${users} active ${users === 1 ? 'account' : 'accounts'}, ${admins} of admins,`
  const what = `${who} cannot sign in: the address is not confirmed, and auth.registration is verify.`
  const why =
    admins > 0 && able_admins === 0
      ? 'No admin can sign in. Open sessions go on until they end.'
      : 'They registered while registration was open. Open sessions go on until they end.'
  const how =
    'Have them ask for a link (/account/resend-verification), or accept their addresses: ' +
    'npm run admin -- verify --email .. or --registered-before .. (docs/operations/accounts.md).'
  return [admins > 0 && able_admins === 0 ? problem(what, why, how) : warning(what, why, how)]
}
