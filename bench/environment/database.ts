import { join } from 'node:path'
import pg from 'pg'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { loadConfig } from '#config/load.ts'
import { startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { ROLE } from '#lib/embedded-postgres/role.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'
import { type Usage, usageOf } from '../system/process-usage.ts'
import { removePolicies, seedProjects, seedUsers } from './seed.ts'

/** The run's own PostgreSQL, with the settings that a database of this size gets in production. */
export interface BenchPostgres {
  readonly version: string
  /** Creates a migrated database with that many users and projects; returns its URL. */
  createDatabase(name: string, rows: number, options: { policies: boolean }): Promise<string>
  usage(): Promise<Usage | undefined>
  stop(): Promise<void>
}

const MIGRATIONS = join(import.meta.dirname, '../../migrations')

/** Commits are durable (fsync and synchronous_commit are on, as is the default). */
const SETTINGS = { max_connections: '200', shared_buffers: '512MB', max_wal_size: '4GB' }

/** Starts PostgreSQL with an empty cluster in `directory`. */
export async function startPostgres(directory: string): Promise<BenchPostgres> {
  const server = await startEmbeddedPostgres({ directory, settings: SETTINGS, fresh: true })
  const { version, pid } = await withClient(server.superuserUrl, async (client) => {
    const { rows } = await client.query<{ version: string; pid: number }>(
      `SELECT current_setting('server_version') AS version, pg_read_file('postmaster.pid')::text AS pid`,
    )
    return { version: rows[0]?.version ?? '', pid: Number.parseInt(String(rows[0]?.pid), 10) }
  })
  return {
    version,
    usage: () => usageOf(pid),
    async createDatabase(name, rows, { policies }) {
      const text = `CREATE DATABASE ${name} OWNER ${ROLE} TEMPLATE template0`
      await withClient(server.superuserUrl, (client) => client.query(text))
      const url = new URL(server.url)
      url.pathname = name
      const { config } = loadConfig({ env: { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: url.href } })
      await migrateUp({ connection: await connectionOptions(config.database), directory: MIGRATIONS })
      await withClient(url.href, async (client) => {
        await seedUsers(client, rows)
        await seedProjects(client, rows)
        if (!policies) await removePolicies(client)
      })
      return url.href
    },
    stop: () => server.stop(),
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
