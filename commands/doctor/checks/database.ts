import type pg from 'pg'
import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Config } from '#config/schema/schema.ts'
import { workerCount } from '#config/worker-count.ts'
import { databaseAdvice } from '#lib/advice/database-advice.ts'
import { SELECT_UNBOUND } from '#lib/database/role.ts'
import { Session } from '#lib/database/session.ts'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { type Check, type Finding, problem, warning, wordsOf } from '../check.ts'

const OLDEST_VERSION = 150_000

/** Seconds between our clock and the server's. */
const NOTABLE_SKEW_SECONDS = 5
const HARMFUL_SKEW_SECONDS = 60

/** Connections beyond the pool: one hears who may not pass any more, one of jobs, one migrates. */
const CONNECTIONS_BESIDE_POOL = 3

interface Server {
  version: string
  version_num: number
  encoding: string
  /** Whether the operating system's collations are not those that the indexes were built with. */
  collation_changed: boolean
  /** Whether it can fold case as addresses are compared. */
  has_icu: boolean
  max_connections: number
  reserved: number
  read_only: boolean
  can_create: boolean
  /** Whether row-level security leaves our role out. */
  unbound: boolean
  fsync: string
  full_page_writes: string
  /** Seconds since 1970. */
  now: number
}

const check: Check = {
  name: 'database',
  reads: ['database', 'server.workers'],
  async run({ config, strict }) {
    if (config.database.url === undefined) return checkEmbedded()
    const client = new Session({
      ...(await connectionOptions(config.database)),
      application_name: 'groundwork-doctor',
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      const server = await ask(client)
      return [
        ...checkBuild(server),
        ...checkWrites(server, strict),
        ...checkRole(server, strict),
        ...checkConnections(server, config),
        ...checkClock(server),
      ]
    } catch (error) {
      return [
        problem(
          `The database cannot be used: ${wordsOf(error)}`,
          'The service is not ready without it, and answers 503.',
          databaseAdvice(error) ??
            'Correct APP_DATABASE__URL, or what is said above; the log of the server says more.',
        ),
      ]
    } finally {
      await client.end().catch(() => undefined)
    }
  },
}
export default check

async function checkEmbedded(): Promise<Finding[]> {
  try {
    await loadBinaries()
    return []
  } catch (error) {
    return [problem(wordsOf(error), 'Without it and without a URL there is no database.', 'As said above.')]
  }
}

async function ask(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(`
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int AS version_num,
           current_setting('server_encoding') AS encoding,
           coalesce(datcollversion <> pg_database_collation_actual_version(oid), false)
             OR EXISTS (SELECT FROM pg_collation c WHERE c.collname = 'und-x-icu'
                        AND c.collversion <> pg_collation_actual_version(c.oid)) AS collation_changed,
           EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') AS has_icu,
           current_setting('max_connections')::int AS max_connections,
           current_setting('superuser_reserved_connections')::int AS reserved,
           pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
           has_database_privilege(oid, 'CREATE') AND has_schema_privilege('public', 'CREATE') AS can_create,
           (${SELECT_UNBOUND}),
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           extract(epoch FROM clock_timestamp())::float8 AS now
    FROM pg_database WHERE datname = current_database()`)
  const [server] = rows
  /* c8 ignore next -- We are connected to one. */
  if (server === undefined) throw new Error('PostgreSQL does not know the database')
  return server
}

/** Checks what was decided when PostgreSQL was installed and the database was created. */
function checkBuild(server: Server): Finding[] {
  const findings: Finding[] = []
  if (server.version_num < OLDEST_VERSION) {
    findings.push(
      problem(
        `PostgreSQL is of version ${server.version}.`,
        'The service needs 15: migrations use what older ones do not have.',
        'Upgrade it (docs/runbooks/procedures.md, Upgrade PostgreSQL).',
      ),
    )
  }
  if (server.encoding !== 'UTF8') {
    findings.push(
      problem(
        `The database's encoding is ${server.encoding}.`,
        'Names and texts that it cannot hold are refused, or fail.',
        "Make a new one (CREATE DATABASE .. ENCODING 'UTF8' TEMPLATE template0) and restore a backup into it.",
      ),
    )
  }
  if (!server.has_icu) {
    findings.push(
      problem(
        'PostgreSQL was built without ICU: it has no collation und-x-icu.',
        'Addresses are compared by it, and the first migration fails.',
        "Use a build with ICU; Debian's and the official image are.",
      ),
    )
  }
  if (server.collation_changed) {
    findings.push(
      problem(
        "The system's collations are not of the version that the database was made with.",
        'Indexes on text may find nothing, or let doubles pass.',
        'REINDEX DATABASE .., then ALTER DATABASE .. REFRESH COLLATION VERSION, and ALTER COLLATION "und-x-icu" the same.',
      ),
    )
  }
  return findings
}

/** Whether it takes what we write, and keeps it. */
function checkWrites(server: Server, strict: boolean): Finding[] {
  const findings: Finding[] = []
  if (server.read_only) {
    findings.push(
      problem(
        'The database only reads: it is a standby, or default_transaction_read_only is on.',
        'Every write is answered 503.',
        'Name the primary in APP_DATABASE__URL, or promote this one.',
      ),
    )
  } else if (!server.can_create) {
    findings.push(
      problem(
        'Our role may not create schemas and tables in the database.',
        'Migrations and the job queue fail.',
        'ALTER DATABASE .. OWNER TO our role.',
      ),
    )
  }
  if (strict && (server.fsync === 'off' || server.full_page_writes === 'off')) {
    findings.push(
      problem(
        `fsync is ${server.fsync} and full_page_writes ${server.full_page_writes} at the server.`,
        'A power loss may destroy the database.',
        'Turn both on in postgresql.conf, and reload.',
      ),
    )
  }
  return findings
}

/** Whether organizations are kept apart by PostgreSQL too. */
function checkRole({ unbound }: Server, strict: boolean): Finding[] {
  if (!unbound) return []
  const what = "The database's role is a superuser, or has BYPASSRLS."
  const why = 'Row-level security does not bind it, so nothing in PostgreSQL keeps organizations apart.'
  const how = 'ALTER ROLE .. NOSUPERUSER NOBYPASSRLS, or a new role (docs/operations/database.md, The role).'
  return [strict ? problem(what, `${why} The service does not start.`, how) : warning(what, why, how)]
}

function checkConnections({ max_connections, reserved }: Server, { database, server }: Config): Finding[] {
  const processes = workerCount(server)
  const each = database.max_connections + CONNECTIONS_BESIDE_POOL
  // In a rolling restart there is one worker more.
  const wanted = each * (processes > 1 ? processes + 1 : 1)
  const there = max_connections - reserved
  if (wanted > there) {
    return [
      problem(
        `This instance may want ${wanted} connections, and the server allows ${there}.`,
        'Under load, requests fail that get none.',
        `Raise max_connections of PostgreSQL, lower APP_DATABASE__MAX_CONNECTIONS (${database.max_connections}), or use PgBouncer.`,
      ),
    ]
  }
  if (wanted * 2 <= there) return []
  return [
    warning(
      `This instance may want ${wanted} of the server's ${there} connections.`,
      'A second instance, as in a rolling deployment, would not find enough.',
      'Raise max_connections of PostgreSQL, or lower APP_DATABASE__MAX_CONNECTIONS.',
    ),
  ]
}

function checkClock({ now }: Server): Finding[] {
  const difference = Math.round(Math.abs(now - Date.now() / 1000))
  if (difference < NOTABLE_SKEW_SECONDS) return []
  const what = `Our clock and the database's are ${difference} s apart.`
  const why = 'Links and sessions end at other times than they say; past a minute, new tokens are refused.'
  const how = 'Set both clocks by NTP (timedatectl, chrony).'
  return [difference >= HARMFUL_SKEW_SECONDS ? problem(what, why, how) : warning(what, why, how)]
}
