import type { Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call, type RemoteUser, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { type FaultyPostgres, type PostgresOptions, startPostgres } from './postgres.ts'

/** Short limits, so that a test of hanging need not hang long. */
export const SHORT = {
  APP_DATABASE__CONNECTION_TIMEOUT: '2s',
  APP_DATABASE__STATEMENT_TIMEOUT: '2s',
  APP_DATABASE__LOCK_TIMEOUT: '2s',
  APP_DATABASE__IDLE_IN_TRANSACTION_TIMEOUT: '2s',
  APP_DATABASE__QUERY_TIMEOUT: '3s',
}

/**
 * Milliseconds within which a request is answered whatever the database does, under the limits of SHORT: the
 * wait for a connection and a statement that hangs, twice each for authentication and the write, and room for
 * a busy machine.
 */
export const BOUND = 20_000

/** Seconds that an instance gets to recover in, on a machine that may be busy. */
const PATIENCE = 120

export interface Rig {
  postgres: FaultyPostgres
  services: TestService[]
  /** Where the instances listen. */
  urls: string[]
  /** An admin, signed in. */
  admin: RemoteUser
}

export interface RigOptions extends PostgresOptions {
  instances?: number
  env?: Record<string, string>
}

/**
 * Starts a PostgreSQL of the test's own and instances of the service before it, each a process. They enqueue
 * jobs and do none, so that what was enqueued can be counted.
 */
export async function startRig(
  t: Test,
  { instances = 1, env = {}, ...options }: RigOptions = {},
): Promise<Rig> {
  const postgres = await startPostgres(t, options)
  const variables = { APP_DATABASE__URL: postgres.url, APP_ROLE: 'web', ...SHORT, ...env }
  // The first makes the schema, so that the others need not wait for it.
  const first = await startService(t, variables)
  await ready(first.url)
  const others = Array.from({ length: instances - 1 }, () => startService(t, variables))
  const services = [first, ...(await Promise.all(others))]
  return {
    postgres,
    services,
    urls: services.map(({ url }) => url),
    admin: await signUpAdmin(first.url, postgres),
  }
}

/** Registers a user, signs it in and makes it an admin. */
export async function signUpAdmin(url: string, postgres: Pick<FaultyPostgres, 'query'>): Promise<RemoteUser> {
  const admin = await signUpRemote(url)
  await postgres.query("UPDATE users SET role = 'admin' WHERE id = $1", [admin.id])
  return admin
}

/** Returns each URL in turn, to load all of them. */
export function inTurn(urls: readonly string[]): () => string {
  let next = 0
  return () => urls[next++ % urls.length] ?? ''
}

/** Waits until the instance says that it is ready. */
export async function ready(url: string): Promise<void> {
  await eventually(async () => (await call(`${url}/ready`)).status === 200, PATIENCE)
}

/** Waits until the instance says that it is not. */
export async function notReady(url: string): Promise<void> {
  await eventually(async () => (await call(`${url}/ready`)).status === 503, PATIENCE)
}

/** Fails `t` unless the answer is a 503 as the contract has it, which says when to come again and not why. */
export function unavailable(t: Test, answer: Answer, code = 'database_unavailable'): void {
  t.match(answer, {
    status: 503,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': /^\d+$/ },
  })
  t.match(JSON.parse(answer.text), { status: 503, code })
  t.notMatch(answer.text, /ECONN|127\.0\.0\.1|postgres/, 'the cause is for the log')
}

/** Fails `t` if an instance has ended, or wrote of what it could not bear. */
export function assertUnharmed(t: Test, services: readonly TestService[]): void {
  for (const { child, logs } of services) {
    t.equal(child.exitCode ?? child.signalCode, null, 'the instance runs')
    t.same(
      logs().filter(({ level }) => level === 'fatal'),
      [],
      'nothing fatal in its log',
    )
  }
}
