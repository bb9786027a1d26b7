import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import bossPackage from 'pg-boss/package.json' with { type: 'json' }
import type { Test } from 'tap'
import type { EmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { ROLE } from '#lib/embedded-postgres/role.ts'
import { INDEXES } from '#lib/jobs/indexes.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'
import { connectionTo } from './connection-to.ts'
import { startTestServer } from './test-server.ts'

/** The owner of databases: a test, or anything else that calls its teardown. */
export type Owner = Pick<Test, 'teardown'>

/** A database of one test's own, dropped at its end. */
export interface TestDatabase {
  readonly url: string
  /** The same as the superuser. */
  readonly superuserUrl: string
  readonly name: string
  /** Runs one statement, outside of what is tested, as the owner and with every organization's rows; returns the rows. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** The same as the superuser, whom nothing binds. */
  querySuper<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

const MIGRATIONS = join(import.meta.dirname, '../../migrations')
/** Options of a connection that sees the rows of every organization. */
const SYSTEM = '-c app.scope=system'
const OBJECT_IN_USE = '55006'
// Held while the template is made, so that two test files don't both make it.
const TEMPLATE_LOCK = 1

let server: Promise<EmbeddedPostgres> | undefined
let template: Promise<string> | undefined
/** Tests that need the server now. */
let joins = 0

/** Makes a database with all migrations applied and no rows. Drops it when `t` ends. */
export async function createTestDatabase(t: Owner): Promise<TestDatabase> {
  const server = await joinServer(t)
  template ??= prepareTemplate(server)
  return create(t, server, await template)
}

/** Makes a database with nothing in it. Drops it when `t` ends. */
export async function createEmptyDatabase(t: Owner): Promise<TestDatabase> {
  return create(t, await joinServer(t), 'template0')
}

async function joinServer(t: Owner): Promise<EmbeddedPostgres> {
  // Starts it when a test file is run without tap, and then has to end it with the last that needs it.
  server ??= startTestServer({ fresh: false })
  const joined = await server
  if (process.env['TAP']) return joined
  joins++
  t.teardown(async () => {
    joins--
    if (joins > 0) return
    server = undefined
    template = undefined
    await joined.stop()
  })
  return joined
}

async function create(t: Owner, server: EmbeddedPostgres, source: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(server.superuserUrl, (admin) => clone(admin, name, source))
  const url = databaseUrl(server.url, name)
  let client: Promise<pg.Client> | undefined
  let superuser: Promise<pg.Client> | undefined
  t.teardown(async () => {
    await (await client)?.end()
    await (await superuser)?.end()
    await administer(server.superuserUrl, (admin) => drop(admin, name))
  })
  return {
    url,
    superuserUrl: databaseUrl(server.superuserUrl, name),
    name,
    // Connected when it is asked for the first time: every connection is a process to start.
    async query(text, values) {
      client ??= connect(url, undefined, SYSTEM)
      return (await (await client).query(text, values)).rows
    },
    async querySuper(text, values) {
      superuser ??= connect(databaseUrl(server.superuserUrl, name))
      return (await (await superuser).query(text, values)).rows
    },
  }
}

/** The connection by which this process makes and drops databases. */
let administration: { url: string; client: Promise<pg.Client> } | undefined
/** Who uses it now; when nobody does, it does not keep the process alive. */
let administrators = 0

async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  if (administration?.url !== url) {
    const lost = () => {
      administration = undefined
    }
    administration = { url, client: connect(url, lost) }
    administration.client.catch(lost)
  }
  const client = await administration.client
  administrators++
  client.ref()
  try {
    return await work(client)
  } finally {
    if (--administrators === 0) client.unref()
  }
}

async function connect(
  url: string,
  lost: () => void = () => undefined,
  options?: string,
): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...(options && { options }) })
  client.on('error', lost)
  await client.connect()
  return client
}

async function clone(client: pg.Client, name: string, source: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      // A quarter of the time of the default, which writes every block to the log.
      await client.query(`CREATE DATABASE ${name} OWNER ${ROLE} TEMPLATE ${source} STRATEGY FILE_COPY`)
      return
    } catch (error) {
      const inUse = error instanceof pg.DatabaseError && error.code === OBJECT_IN_USE
      if (!inUse || attempt === 10) throw error
      await sleep(100)
    }
  }
}

/**
 * Drops a database once its connections have ended. A pool's end does not wait for that of its connections, and one
 * that is terminated meanwhile has an error, which fails the test if nobody listens for it. What a test leaves open on
 * purpose is terminated in the end.
 */
async function drop(client: pg.Client, name: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1 LIMIT 1', [name])
    if (rowCount === 0) break
    await sleep(10)
  }
  await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
}

/** The template is named for the content of the migrations and the version of pg-boss, so a changed file leads to another. */
async function prepareTemplate(server: EmbeddedPostgres): Promise<string> {
  const name = `template_${await hashMigrations()}`
  await withClient(server.superuserUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
    if (found.rowCount === 1) return
    const unfinished = `${name}_unfinished`
    await client.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${unfinished} OWNER ${ROLE} TEMPLATE template0`)
    const url = databaseUrl(server.url, unfinished)
    await migrateUp({ connection: connectionTo(url), directory: MIGRATIONS })
    await installBoss({ connectionString: url })
    // Nobody may connect to it, for a database with connections cannot be cloned.
    await client.query(`ALTER DATABASE ${unfinished} ALLOW_CONNECTIONS false`)
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`)
  })
  return name
}

/** The tables of pg-boss and its queues, which every application would make otherwise. */
async function installBoss(connection: { connectionString: string }): Promise<void> {
  const boss = new PgBoss({ ...connection, supervise: false, schedule: false, registerInstance: false })
  // Imported by the process that makes the template alone: it is all of services/.
  const { findJobs } = await import('#lib/jobs/find-jobs.ts')
  // Schedules that are older than the application would have runs to make up for.
  await new JobQueue(boss).start(await findJobs(), { schedules: false })
  await boss.stop()
  await withClient(connection.connectionString, async (client) => {
    for (const [index, definition] of Object.entries(INDEXES))
      await client.query(`CREATE INDEX ${index} ON pgboss.job_common ${definition}`)
  })
}

async function hashMigrations(): Promise<string> {
  const hash = createHash('sha256').update(ROLE).update(bossPackage.version).update(JSON.stringify(INDEXES))
  for (const file of (await readdir(MIGRATIONS)).sort()) {
    hash.update(file).update(await readFile(join(MIGRATIONS, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = name
  return url.href
}

async function withClient<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url)
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}
