import type { Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { type HostileService, METRICS_TOKEN } from './service.ts'

/** The service still serves, and serves the same; after each case. */
export async function glance(t: Test, { service, actors }: HostileService): Promise<void> {
  const { id, email, username, token } = actors.user
  const { status, text } = await call(`${service.url}/api/v1/users/me`, { token })
  t.equal(status, 200, 'the service still serves')
  const { created_at, updated_at, ...rest } = JSON.parse(text)
  t.strictSame(rest, { id, email, username, role: 'user', is_active: true }, 'and nobody is changed')
  t.equal(created_at, updated_at)
  t.equal(service.child.exitCode, null)
}

/** Everything that an operator would look at; after each group. */
export async function examine(t: Test, target: HostileService): Promise<void> {
  const { service, actors } = target
  for (const path of ['/live', '/ready', '/health']) {
    t.equal((await call(service.url + path)).status, 200, path)
  }
  const { email, password } = actors.user
  const login = await call(`${service.url}/api/v1/auth/login`, { method: 'POST', json: { email, password } })
  t.equal(login.status, 200, 'signing in works')
  const list = await call(`${service.url}/api/v1/users?limit=100`, { token: actors.admin.token })
  t.equal(list.status, 200, 'reading the database works')

  await eventually(async () => {
    const sample = await metrics(target)
    return sample.includes('\nhttp_requests_in_flight 1\n')
  })
  const sample = await metrics(target)
  t.notMatch(sample, /http_request_duration_seconds_count\{[^}]*status_code="5/, 'there was no 5xx')
  t.match(sample, /db_pool_connections\{state="waiting"\} 0/, 'nobody waits for a connection')

  t.equal(service.stderr(), '', 'nothing was written to standard error')
  const lines = service.stdout().split('\n').slice(0, -1)
  t.strictSame(lines.filter(isNoRecord), [], 'each line of the log is one object')
  t.strictSame(
    lines.filter((line) => /"level":"(?:error|fatal)"/.test(line)),
    [],
    'nobody has to look',
  )
}

async function metrics({ service }: HostileService): Promise<string> {
  const { status, text } = await call(`${service.url}/metrics`, { token: METRICS_TOKEN })
  return status === 200 ? text : ''
}

function isNoRecord(line: string): boolean {
  try {
    const record: unknown = JSON.parse(line)
    return typeof record !== 'object' || record === null || !('level' in record) || !('time' in record)
  } catch {
    return true
  }
}
