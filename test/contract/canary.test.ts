// Among the first, because it takes long.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { TestDatabase } from '#test/support/database.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'
import { isWanted, WANTED } from '#test/support/only.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { exchange, listen } from '#test/support/raw-http.ts'
import { Canaries, type Kind } from './canaries.ts'
import { type PlantedRequest, rightRequest, wrongRequests } from './canary-requests.ts'
import { type Document, operationsOf, type PlacedOperation } from './document.ts'

const document: Document = JSON.parse(await readFile(join(import.meta.dirname, '../../openapi.json'), 'utf8'))
const KINDS: readonly Kind[] = ['secret', 'personal', 'path']

const OPERATIONS = operationsOf(document).filter(({ operation }) => isWanted(operation.operationId))

/** Numbers that all operations reach together. Some of them need not. */
const REACHED = WANTED
  ? { markers: 1, failing: 0, statuses: [] }
  : { markers: 1000, failing: 10, statuses: [500, 503] }

/** Everything that is written while requests are answered, so that a trigger can quote it. */
const TABLES = [
  ...['users', 'sessions', 'refresh_tokens', 'one_time_tokens', 'registrations', 'login_attempts'],
  ...['idempotency_keys', 'organizations', 'memberships', 'organization_invitations'],
  ...['projects', 'api_keys', 'webhook_endpoints', 'webhook_deliveries'],
  ...['files', 'stored_objects', 'storage_usage', 'uploads', 'object_appends', 'object_variants'],
]

interface Sent {
  request: PlantedRequest
  response: LightMyRequestResponse
}

/** An application whose users have markers for their names, and one password. */
async function start(t: Test, env: Record<string, string> = {}) {
  const canaries = new Canaries()
  const password = `${canaries.plant('secret', 'the password of all users')} long`
  const app = await createTestApp(t, { APP_LOG__LEVEL: 'trace', APP_ROLE: 'web', ...env })
  const newUser = (role: 'user' | 'admin') => {
    const [name, mailbox] = [canaries.plant('personal', 'a username'), canaries.plant('personal', 'an email')]
    return app.signUp({ role, password, username: name, email: `${mailbox}@example.com` })
  }
  return { ...app, canaries, password, newUser }
}

async function sendAll({ request }: TestApp, requests: PlantedRequest[]): Promise<Sent[]> {
  const sent: Sent[] = []
  for (const options of requests) sent.push({ request: options, response: await request(options) })
  return sent
}

/** Every place that markers could have got to, and the kinds that must not be there. */
async function leaks(
  { app, db, logs }: TestApp,
  canaries: Canaries,
  sent: readonly Sent[],
): Promise<string[]> {
  const found: string[] = []
  const look = (place: string, text: string, kinds: readonly Kind[]) => {
    found.push(...canaries.findIn(text, kinds).map((canary) => `${canary} in ${place}`))
  }
  for (const { path, ...record } of logs()) {
    look(`the log's ${record['msg']}`, JSON.stringify(record), KINDS)
    look("the log's path", String(path), ['secret', 'personal'])
  }
  look('the metrics', await app.metrics.metrics(), KINDS)
  for (const { request, response } of sent) {
    const isProblem = String(response.headers['content-type']).includes('problem')
    const text = JSON.stringify(response.headers) + response.body
    look(
      `the ${response.statusCode} of ${request.method} ${request.url}`,
      text,
      isProblem ? KINDS : ['secret'],
    )
  }
  for (const [table, rows] of Object.entries(await dump(db))) look(`the table ${table}`, rows, ['secret'])
  return [...new Set(found)]
}

/** All rows of all tables, as text. */
async function dump(db: TestDatabase): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname IN ('public', 'pgboss')`,
  )
  const dumped: Record<string, string> = {}
  for (const { name } of tables) {
    const rows = await db.query<{ row: string }>(`SELECT row::text AS row FROM ${name} AS row`)
    dumped[name] = rows.map(({ row }) => row).join('\n')
  }
  return dumped
}

/** Where addresses are confirmed first, these answer otherwise. */
const VERIFYING = ['createUser', 'verifyEmail', 'resendVerification', 'inviteUser']

const ROUNDS = [
  { registration: 'open', expected: [200, 201, 204, 400, 401, 403, 404, 412, 413, 415] },
  { registration: 'verify', only: VERIFYING, expected: [201, 202, 400, 401, 413, 415] },
]

for (const { registration, only, expected } of ROUNDS) {
  t.test(`nothing that requests hold gets out, with registration ${registration}`, async (t) => {
    const test = await start(t, { APP_AUTH__REGISTRATION: registration })
    const { app, canaries, request, newUser } = test
    const bystander = await newUser('user')
    const sent: Sent[] = []
    for (const placed of OPERATIONS) {
      if (only?.includes(placed.operation.operationId) === false) continue
      // Others end sessions and accounts, so each operation has its own.
      const [target, user, admin] = [await newUser('user'), await newUser('user'), await newUser('admin')]
      const planting = { canaries, document, placed, target }
      sent.push(
        ...(await sendAll(test, [
          rightRequest(planting),
          ...wrongRequests(planting, admin),
          rightRequest(planting, { as: user }),
          rightRequest(planting, { as: user, conditions: false }),
          rightRequest(planting, { as: admin }),
          rightRequest(planting, { as: admin, conditions: false }),
        ])),
      )
    }
    for (const url of ['/docs', '/account/reset-password', `/nothing/${canaries.plant('path', 'a 404')}`]) {
      const query = { token: canaries.plant('secret', `the query of ${url}`) }
      sent.push(...(await sendAll(test, [{ url, query }])))
    }
    const port = await listen(app)
    const raw = () => canaries.plant('secret', 'raw bytes')
    for (const bytes of [
      `GET /live?a=${raw()} HTTP/1.1\r\nHost: a\r\nBroken ${raw()}\r\n\r\n`,
      `${raw()} /live HTTP/1.1\r\nHost: a\r\n\r\n`,
      `GET /%zz?${raw()} HTTP/1.1\r\nHost: ${raw()}\r\nConnection: close\r\n\r\n`,
      `GET /live HTTP/1.1\r\nHost: a\r\nCookie: ${raw().repeat(2000)}\r\n\r\n`,
    ]) {
      t.strictSame(canaries.findIn(await exchange(port, bytes), KINDS), [])
    }

    const statuses = new Set(sent.map(({ response }) => response.statusCode))
    for (const status of WANTED ? [] : expected) {
      t.ok(statuses.has(status), `there is a ${status}`)
    }
    const failures = sent.filter(({ response }) => response.statusCode >= 500)
    t.strictSame(
      failures.map(({ request: { method, url }, response }) => `${method} ${url} ${response.body}`),
      [],
      'and no 5xx',
    )
    t.ok(canaries.size >= REACHED.markers, `${canaries.size} markers`)
    t.strictSame(await leaks(test, canaries, sent), [])

    for (const url of ['/api/v1/users/me', '/api/v1/auth/sessions', '/api/v1/users', '/health', '/metrics']) {
      const { body, headers } = await request({ url, as: bystander })
      const others = canaries.findIn(JSON.stringify(headers) + body, KINDS)
      t.ok(others.length <= (url === '/api/v1/users/me' ? 2 : 0), `${url} shows nobody else: ${others}`)
    }
  })
}

t.test('nothing that the database quotes in its errors gets out', async (t) => {
  const test = await start(t)
  const { canaries, db, logs, newUser } = test
  const prepared: [PlacedOperation, TestUser, TestUser][] = []
  for (const placed of OPERATIONS) {
    prepared.push([placed, await newUser('user'), await newUser('admin')])
  }
  const sent: Sent[] = []
  for (const state of ['P0001', '40001', '23505', 'XX000']) {
    await plantTriggers(db, state)
    for (const [placed, target, admin] of prepared) {
      const planting = { canaries, document, placed, target }
      sent.push(
        ...(await sendAll(test, [
          rightRequest(planting),
          rightRequest(planting, { as: admin }),
          rightRequest(planting, { as: admin, conditions: false }),
        ])),
      )
    }
  }
  const statuses = new Set(sent.map(({ response }) => response.statusCode))
  for (const status of REACHED.statuses) t.ok(statuses.has(status), `there is a ${status}`)
  const failed = logs().filter(({ level }) => level === 'error')
  const failing = new Set(failed.map(({ operation }) => operation))
  t.ok(failing.size >= REACHED.failing, `${failed.length} errors are logged`)
  t.strictSame(await leaks(test, canaries, sent), [])
  t.notMatch(JSON.stringify(failed), /\$argon2|\\\\x[0-9a-f]{32}/, 'no hash, no digest')
})

t.test('secrets that the service issues appear nowhere else', async (t) => {
  const test = await start(t)
  const { canaries, db, logLines, password, request, newUser } = test
  const { user } = await newUser('user')
  const payload = { email: user.email, password }
  const login = await request({ method: 'POST', url: '/api/v1/auth/login', payload })
  const refresh = await request({
    method: 'POST',
    url: '/api/v1/auth/refresh',
    payload: { refresh_token: login.json().refresh_token },
  })
  const tokens = [login, refresh].flatMap((response): string[] => {
    t.equal(response.statusCode, 200)
    return [response.json().access_token, response.json().refresh_token]
  })
  const headers = { authorization: `Bearer ${tokens[2]}` }
  t.equal((await request({ url: '/api/v1/users/me', headers })).statusCode, 200)
  const places = [...logLines, ...Object.values(await dump(db)), await test.app.metrics.metrics()].join('\n')
  for (const token of tokens) t.notOk(places.includes(token.split('.').at(-1) ?? token))

  const tenant = await createOrganization(test.app)
  const create = await request({
    method: 'POST',
    url: `${tenant.url}/api-keys`,
    payload: { name: 'A key', scopes: ['projects:read'] },
    headers: { 'idempotency-key': 'once' },
    as: tenant.owner,
  })
  const { key } = create.json()
  const sent = { authorization: `Bearer ${key}` }
  t.equal((await request({ url: `${tenant.url}/projects?name=${key}`, headers: sent })).statusCode, 400)
  t.equal((await request({ url: `/api/v1/${key}`, headers: sent })).statusCode, 404)
  t.equal((await request({ url: `${tenant.url}/projects`, headers: sent })).statusCode, 200)
  const written = [...logLines, ...Object.values(await dump(db)), await test.app.metrics.metrics()].join('\n')
  // Without the ids at its beginning, which are not secret.
  t.notOk(written.includes(key.slice(-72)))
  t.strictSame(await leaks(test, canaries, []), [])
})

/** Makes every write fail with this SQLSTATE and the whole row in the message, as a careless trigger would. */
async function plantTriggers(db: TestDatabase, state: string): Promise<void> {
  await db.query(`CREATE OR REPLACE FUNCTION quote_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'careless: %', row_to_json(coalesce(NEW, OLD)) USING ERRCODE = '${state}',
      DETAIL = row_to_json(coalesce(NEW, OLD))::text, HINT = row_to_json(coalesce(NEW, OLD))::text;
    END $$`)
  for (const table of TABLES) {
    await db.query(`CREATE OR REPLACE TRIGGER quote_row BEFORE INSERT OR UPDATE OR DELETE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION quote_row()`)
  }
}
