import { Agent } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, type RemoteUser, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'

const CRASH = ['--import', join(import.meta.dirname, '../fixtures/crash.ts')]

// A held PATCH ends when the test lets it, however long a busy machine takes to get there.
const PATIENCE = {
  APP_DATABASE__LOCK_TIMEOUT: '1h',
  APP_DATABASE__STATEMENT_TIMEOUT: '1h',
  APP_DATABASE__QUERY_TIMEOUT: '2h',
  APP_SERVER__SHUTDOWN_TIMEOUT: '2m',
}

/** How the service connects, in pg_stat_activity. */
export const CONNECTIONS = `SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'groundwork%'`

const WAITING = `SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`

/** A service with a database of its own and a user. */
export interface Running {
  service: TestService
  db: TestDatabase
  user: RemoteUser
}

/** Starts a service that can be broken from the inside (test/fixtures/crash.ts). */
export async function run(
  t: Test,
  env: Record<string, string> = {},
  preload: readonly string[] = CRASH,
): Promise<Running> {
  const db = await createTestDatabase(t)
  const service = await startService(
    t,
    { APP_DATABASE__URL: db.url, ...PATIENCE, ...env },
    { nodeArgs: preload, detached: true },
  )
  return { service, db, user: await signUpRemote(service.url) }
}

/** A PATCH that waits for a lock which the test holds until `release`. */
export async function holdPatch({ service, db, user }: Running, agent = new Agent()) {
  await db.query('BEGIN')
  await db.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [user.id])
  const answer = call(`${service.url}/api/v1/users/me`, {
    method: 'PATCH',
    json: { username: 'changed' },
    token: user.token,
    agent,
  })
  await eventually(async () => {
    // A transaction sees one snapshot of the activity, unless it asks for another.
    await db.query('SELECT pg_stat_clear_snapshot()')
    return (await db.query(WAITING)).length === 1
  })
  return { answer, release: () => db.query('COMMIT') }
}

/**
 * Whether nobody listens there. Nothing is asked: a connection that comes in the instant in which the last worker
 * closes waits for no one in Node's primary process (docs/operations/scale.md).
 */
export function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => socket.destroy())
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'))
    socket.once('close', () => resolve(false))
  })
}
