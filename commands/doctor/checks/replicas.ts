import { connectionOptions } from '#config/engine/database-connection.ts'
import type { Config } from '#config/schema/schema.ts'
import { databaseAdvice } from '#lib/advice/database-advice.ts'
import { Session } from '#lib/database/session.ts'
import { type Check, type Finding, off, problem, warning, wordsOf } from '../check.ts'

interface Server {
  /** The same for a primary and all its standbys. */
  system: string
  is_standby: boolean
  /** Seconds since the last commit that it has; null where there was none since its start. */
  age: number | null
  paused: boolean
}

const check: Check = {
  name: 'replicas',
  reads: ['database'],
  async run({ config: { database } }) {
    const { url, replica_urls: replicas } = database
    if (url === undefined || replicas.length === 0) {
      return [
        off(
          'database.replica_urls is empty.',
          'Everything is read from the primary.',
          'Set APP_DATABASE__REPLICA_URLS (docs/operations/replicas.md).',
        ),
      ]
    }
    const primary = await ask(database, url).catch(() => undefined)
    const findings = await Promise.all(replicas.map((replica) => examine(database, replica, primary)))
    return findings.flat()
  },
}
export default check

async function examine(
  database: Config['database'],
  url: string,
  primary: Server | undefined,
): Promise<Finding[]> {
  const { host, port } = await connectionOptions(database, url)
  const name = `The replica ${host}:${port}`
  try {
    const server = await ask(database, url)
    if (primary !== undefined && server.system !== primary.system) {
      return [
        problem(
          `${name} is of another cluster than the primary.`,
          'It does not follow the primary, so nothing is ever read from it.',
          'Correct APP_DATABASE__REPLICA_URLS, or make the standby again from the primary.',
        ),
      ]
    }
    if (!server.is_standby) {
      return [
        problem(
          `${name} is a primary.`,
          'Nothing is read from it as from a replica; if it was promoted, there may be two primaries.',
          'Name standbys in APP_DATABASE__REPLICA_URLS, and the primary in APP_DATABASE__URL.',
        ),
      ]
    }
    if (!server.paused) return []
    return [
      warning(
        `${name} has paused its replay; its last commit is ${Math.round(server.age ?? 0)} s old.`,
        'Nothing is read from it until it has caught up.',
        'SELECT pg_wal_replay_resume() on it.',
      ),
    ]
  } catch (error) {
    return [
      problem(
        `${name} cannot be used: ${wordsOf(error)}`,
        'The primary does its work; no request fails.',
        databaseAdvice(error) ?? 'Correct APP_DATABASE__REPLICA_URLS, or start it; its log says more.',
      ),
    ]
  }
}

async function ask(database: Config['database'], url: string): Promise<Server> {
  const client = new Session({
    ...(await connectionOptions(database, url)),
    application_name: 'groundwork-doctor',
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Server>(`
      SELECT system_identifier::text AS system, pg_is_in_recovery() AS is_standby,
             extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS age,
             CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS paused
      FROM pg_control_system()`)
    const [server] = rows
    /* c8 ignore next -- It is one row always. */
    if (server === undefined) throw new Error('PostgreSQL says nothing of itself')
    return server
  } finally {
    await client.end().catch(() => undefined)
  }
}
