import { TLSSocket } from 'node:tls'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Variables } from '#config/engine/variables.ts'
import { Session } from '#lib/database/session.ts'
import { type Check, type Finding, off, problem, unchecked, warning } from '../check.ts'

/** A session's own report. */
interface Live {
  user: string
  acts_as: string
  database: string
  encrypted: boolean | null
  synchronous_commit: string
  read_only: string
}

/** Compares what was asked of connections to the database with what a live session has. */
const check: Check = {
  name: 'database session',
  reads: ['database'],
  async run({ config: { database }, env, strict }) {
    if (database.url === undefined) {
      return [off('The embedded PostgreSQL is used.', 'database.url is not set.', 'Set APP_DATABASE__URL.')]
    }
    const options = await connectionOptions(database)
    const client = new Session({ ...options, application_name: 'groundwork-doctor' })
    client.on('error', () => undefined)
    try {
      await client.connect()
    } catch {
      const how = 'As the check of the database says.'
      return [unchecked('There is no session to look at.', 'It may be other than asked for.', how)]
    }
    try {
      const live = await ask(client)
      return [
        ...checkTls(client, options.ssl !== false, live),
        ...checkNames(options, live),
        ...checkSettings(client, live, strict),
        ...checkVariables(env),
      ]
    } finally {
      await client.end().catch(() => undefined)
    }
  },
}
export default check

async function ask(client: Session): Promise<Live> {
  const { rows } = await client.query<Live>(`
    SELECT session_user AS user, current_user AS acts_as, current_database() AS database,
      (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS encrypted,
      current_setting('synchronous_commit') AS synchronous_commit,
      current_setting('default_transaction_read_only') AS read_only`)
  const [live] = rows
  /* c8 ignore next -- A SELECT without FROM has a row. */
  if (live === undefined) throw new Error('PostgreSQL says nothing of itself')
  return live
}

function checkTls(client: Session, isAskedFor: boolean, { encrypted }: Live): Finding[] {
  const how = 'See database.tls, and the TLS of the server or the pooler.'
  if (isAskedFor !== client.connection.stream instanceof TLSSocket) {
    const what = isAskedFor
      ? 'The connection is not encrypted, and database.tls asks for it.'
      : 'The connection is encrypted, and database.tls is off.'
    return [problem(what, 'It is not what was asked for.', how)]
  }
  if (!isAskedFor || encrypted === true) return []
  const what =
    'The server says that the connection is not encrypted, although ours is: something between ends TLS.'
  return [warning(what, 'From there to the server it can be read.', how)]
}

function checkNames({ user, database }: { user: string; database: string }, live: Live): Finding[] {
  const findings: Finding[] = []
  const how = 'See the configuration of the pooler, and ALTER ROLE .. SET role.'
  if (live.user !== user || live.database !== database) {
    const what = `The session is ${live.user} in ${live.database}, and database.url says ${user} and ${database}.`
    findings.push(problem(what, 'It is not what was asked for.', how))
  }
  if (live.acts_as !== live.user) {
    findings.push(
      warning(`The session acts as ${live.acts_as}.`, 'Its rights are those of another role.', how),
    )
  }
  return findings
}

function checkSettings(client: Session, live: Live, strict: boolean): Finding[] {
  const findings: Finding[] = []
  if (client.differing.length > 0) {
    findings.push(
      warning(
        `Behind the pooler these differ from our configuration: ${client.differing.join(', ')}.`,
        'Statements and sessions end at other times than asked for.',
        'ALTER ROLE .. SET them for our role.',
      ),
    )
  }
  if (strict && live.synchronous_commit === 'off') {
    findings.push(
      warning(
        'synchronous_commit is off.',
        'What was confirmed to clients may be lost when the server crashes.',
        'ALTER ROLE .. RESET synchronous_commit, and the same for the database and postgresql.conf.',
      ),
    )
  }
  return findings
}

/** Variables of libpq, that somebody may take to be read. */
function checkVariables(env: Variables): Finding[] {
  const found = Object.keys(env).filter((name) => /^PG[A-Z]+$/.test(name) && env[name])
  if (found.length === 0) return []
  return [
    off(
      `${found.sort().join(', ')}: set, and not read by the service.`,
      'Settings own every parameter of a connection.',
      "docs/operations/database.md, What can't be set twice",
    ),
  ]
}
