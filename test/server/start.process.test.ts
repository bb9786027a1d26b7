import t from 'tap'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration } from '#test/support/http.ts'
import { startServer, startService } from '#test/support/process.ts'

const BAD_CONFIGURATION = {
  APP_SERVER__PROT: '1',
  APP_SERVER__PORT: 'http',
  APP_JWT__SECRET: 'short',
  APP_DATABASE__URL: 'not a url',
}

t.test('in development it says where everything is, and logs JSON', async (t) => {
  const { url: databaseUrl, query } = await createEmptyDatabase(t)
  const env = { APP_ENVIRONMENT: 'development', APP_DATABASE__URL: databaseUrl }
  const { url, stderr, logs } = await startService(t, env)
  const announcement = [
    `API        ${url}/api/v1`,
    `Swagger UI ${url}/docs`,
    `Mailbox    ${url}/dev/mail`,
    `Health     ${url}/health`,
    `Metrics    ${url}/metrics`,
    '',
  ]
  await eventually(async () => stderr() === announcement.join('\n'))
  t.notMatch(stderr(), /PostgreSQL/, 'with a URL no embedded server is started')
  await eventually(async () => (await call(`${url}/ready`)).status === 200)
  for (const path of ['/docs', '/docs/json', '/dev/mail', '/health', '/metrics', '/ready', '/live']) {
    t.match(await call(`${url}${path}`), { status: 200 }, path)
  }
  const created = await call(`${url}/api/v1/users`, { method: 'POST', json: registration() })
  t.equal(created.status, 201)
  t.same(await query('SELECT count(*)::int FROM users'), [{ count: 1 }])
  const id = created.headers['x-request-id']
  await eventually(async () => logs().some(({ request_id }) => request_id === id))
  t.match(
    logs().find(({ request_id }) => request_id === id),
    { level: 'info', msg: 'request completed', operation: 'createUser', status: 201 },
  )
  for (const record of logs()) t.match(record, { level: String, time: String, msg: String })
})

t.test('without Swagger UI there is no line for it', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const env = { APP_ENVIRONMENT: 'development', APP_DATABASE__URL: databaseUrl, APP_DOCS__ENABLED: 'false' }
  const { stderr } = await startService(t, env)
  await eventually(async () => stderr().includes('Metrics '))
  t.notMatch(stderr(), /Swagger/)
})

t.test('a bad configuration: all problems, exit 1, nothing started', async (t) => {
  const server = startServer(t, BAD_CONFIGURATION)
  t.same(await server.exited, { code: 1, signal: null })
  t.equal(server.stdout(), '')
  const [heading, ...problems] = server.stderr().trimEnd().split('\n')
  t.equal(heading, 'The configuration has problems:')
  t.equal(problems.length, 4)
  for (const name of Object.keys(BAD_CONFIGURATION)) t.match(server.stderr(), `  - ${name}: `)
})

t.test('production asks for a database and a secret', async (t) => {
  const server = startServer(t, { APP_ENVIRONMENT: 'production' })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(server.stderr(), /APP_DATABASE__URL: must be set/)
  t.match(server.stderr(), /APP_JWT__SECRET: /)
  t.equal(server.stdout(), '')
})

t.test('in test there is no line at all; a port that is taken', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const first = await startService(t, { APP_DATABASE__URL: databaseUrl })
  const { port } = new URL(first.url)
  const second = startServer(t, { APP_DATABASE__URL: databaseUrl, APP_SERVER__PORT: port })
  t.same(await second.exited, { code: 1, signal: null })
  t.match(
    second.stderr(),
    new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}\nThe port is taken.*APP_SERVER__PORT`),
  )
  t.notMatch(second.stderr(), /\n {4}at /, 'no stack')
  t.match(await call(`${first.url}/ready`), { status: 200 })
  t.equal(first.stderr(), '')
})

t.test('a migration that fails ends the process', async (t) => {
  const { url: databaseUrl, query } = await createEmptyDatabase(t)
  await query('CREATE TABLE users ()')
  const server = startServer(t, { APP_DATABASE__URL: databaseUrl })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(server.stderr(), /001\.do\.create-users\.sql, line \d+: relation "users" already exists/)
})

t.test('migrations that take long do not keep it from listening', async (t) => {
  const { url: databaseUrl, query } = await createEmptyDatabase(t)
  const migration = '7306361248735502'
  await query('SELECT pg_advisory_lock($1)', [migration])
  const env = { APP_DATABASE__URL: databaseUrl, APP_DATABASE__CONNECTION_TIMEOUT: '3s' }
  const service = await startService(t, env)
  t.match(service.stdout(), /migrations take their time/)
  t.match(await call(`${service.url}/live`), { status: 200 })
  t.match(await call(`${service.url}/ready`), { status: 503, text: /migrations are pending/ })
  t.match(await call(`${service.url}/api/v1/users`, { method: 'POST', json: registration() }), {
    status: 503,
    text: /database_unavailable/,
  })
  await query('SELECT pg_advisory_unlock($1)', [migration])
  await eventually(async () => (await call(`${service.url}/ready`)).status === 200)
  t.match(await call(`${service.url}/api/v1/users`, { method: 'POST', json: registration() }), {
    status: 201,
  })
})

t.test('a host or a port that cannot be listened on', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const cases: [string, RegExp][] = [
    ['203.0.113.9', /EADDRNOTAVAIL.*\nThis machine has no such address\. Set APP_SERVER__HOST/],
    ['nosuch.invalid', /nosuch\.invalid\nThe host name has no address here\. Set APP_SERVER__HOST/],
  ]
  for (const [host, expected] of cases) {
    const server = startServer(t, { APP_DATABASE__URL: databaseUrl, APP_SERVER__HOST: host })
    t.same(await server.exited, { code: 1, signal: null })
    t.match(server.stderr(), expected)
    t.notMatch(server.stderr(), /\n {4}at /, 'no stack')
  }
})

t.test('a certificate that cannot be read', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const env = { APP_DATABASE__TLS: 'verify', APP_DATABASE__TLS_CA_FILE: '/nowhere/ca.pem' }
  const server = startServer(t, { APP_DATABASE__URL: databaseUrl, ...env })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(
    server.stderr(),
    /^The configuration has problems:\n {2}- APP_DATABASE__TLS_CA_FILE: names a file that cannot be read \(ENOENT\)\n$/,
  )
})

t.test('a database that does not let us in is waited for, and the log says what to do', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const cases: [string, RegExp][] = [
    [databaseUrl.replace(/:[^:@]+@/, ':wrong@'), /refuses the user name or the password.*APP_DATABASE__URL/],
    [databaseUrl.replace(/[^/]+$/, 'nowhere'), /does not exist: create it with CREATE DATABASE/],
  ]
  for (const [url, expected] of cases) {
    const env = { APP_DATABASE__URL: url, APP_DATABASE__MIGRATE_ON_START: 'true' }
    const service = await startService(t, env)
    const told = () =>
      service.logs().find(({ msg }) => msg === 'the database is away; migrations wait for it')
    await eventually(async () => told() !== undefined)
    t.match(told(), { level: 'warn', advice: expected })
    t.match(await call(`${service.url}/live`), { status: 200 })
    t.match(await call(`${service.url}/ready`), { status: 503 })
  }
})
