import t, { type Test } from 'tap'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call, type RemoteUser, registration, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(580_000)

/** Short, so that a test of hanging need not hang long. */
const SHORT = {
  APP_DATABASE__CONNECTION_TIMEOUT: '2s',
  APP_DATABASE__STATEMENT_TIMEOUT: '2s',
  APP_DATABASE__QUERY_TIMEOUT: '3s',
}

interface Rig {
  db: TestDatabase
  proxy: TcpProxy
  service: TestService
  user: RemoteUser
}

async function startRig(t: Test, env: Record<string, string> = {}): Promise<Rig> {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url)
  const service = await startService(t, { APP_DATABASE__URL: proxy.url, ...SHORT, ...env })
  return { db, proxy, service, user: await signUpRemote(service.url) }
}

function unavailable(t: Test, answer: Answer): void {
  t.match(answer, {
    status: 503,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': /^\d+$/ },
  })
  t.match(JSON.parse(answer.text), { status: 503, code: 'database_unavailable' })
  t.notMatch(answer.text, /ECONN|127\.0\.0\.1|postgres/, 'the cause is for the log')
}

function register(url: string): Promise<Answer> {
  return call(`${url}/api/v1/users`, { method: 'POST', json: registration() })
}

/** Each way to the database: the pipeline, the pool, a transaction. */
function requests({ service: { url }, user: { token, username } }: Rig): (() => Promise<Answer>)[] {
  return [
    () => call(`${url}/api/v1/users/me`, { token }),
    () => register(url),
    () => call(`${url}/api/v1/users/me`, { token, method: 'PATCH', json: { username } }),
    () => call(`${url}/ready`),
  ]
}

async function recovers(t: Test, rig: Rig): Promise<void> {
  const { url } = rig.service
  await eventually(async () => (await call(`${url}/ready`)).status === 200)
  for (const send of requests(rig)) {
    // Each dead connection of the pool may cost one request.
    await eventually(async () => (await send()).status < 300)
  }
  t.equal(rig.service.child.exitCode, null)
  t.match(await register(url), { status: 201 })
}

t.test('away at the start: up, not ready, and recovering with its migrations', async (t) => {
  const db = await createEmptyDatabase(t)
  const proxy = await startProxy(t, db.url, { open: false })
  const { url, logs } = await startService(t, { APP_DATABASE__URL: proxy.url, ...SHORT })
  t.match(await call(`${url}/live`), { status: 200 })
  t.match(await call(`${url}/ready`), { status: 503, text: /the database does not answer/ })
  t.match(await call(`${url}/health`), { status: 503, text: /"unhealthy"/ })
  unavailable(t, await register(url))
  const login = { email: 'a@example.com', password: 'a password' }
  unavailable(t, await call(`${url}/api/v1/auth/login`, { method: 'POST', json: login }))
  t.match(
    logs().find(({ msg }) => msg === 'the database is away; migrations wait for it'),
    { level: 'warn', err: { code: 'ECONNREFUSED' } },
  )
  await proxy.restore()
  await eventually(async () => (await call(`${url}/ready`)).status === 200)
  t.match(await register(url), { status: 201 })
  t.same(await db.query('SELECT count(*)::int FROM users'), [{ count: 1 }])
})

t.test('cut under load: 200 or 503, no crash, and recovery', async (t) => {
  const rig = await startRig(t)
  const statuses = new Map<number, number>()
  let going = true
  let sent = 0
  async function load(): Promise<void> {
    while (going) {
      for (const send of requests(rig).slice(0, 3)) {
        const { status } = await send()
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        sent += 1
      }
    }
  }
  const workers = Array.from({ length: 8 }, load)
  for (let round = 1; round <= 3; round++) {
    const before = sent
    await eventually(async () => sent > before + 60)
    await rig.proxy.cut()
    const during = sent
    await eventually(async () => sent > during + 40)
    await rig.proxy.restore()
    await eventually(async () => (await call(`${rig.service.url}/ready`)).status === 200)
  }
  going = false
  await Promise.all(workers)
  t.same([...statuses.keys()].sort(), [200, 201, 503], JSON.stringify([...statuses]))
  await recovers(t, rig)
  const failures = rig.service.logs().filter(({ level }) => level === 'fatal')
  t.same(failures, [])
  const created = statuses.get(201) ?? 0
  const [users] = await rig.db.query<{ count: number }>('SELECT count(*)::int FROM users')
  t.ok((users?.count ?? 0) >= created, 'who got 201 is there')
})

t.test('hanging: 503 within the limits, /health answers, and recovery', async (t) => {
  const rig = await startRig(t)
  t.match(await register(rig.service.url), { status: 201 })
  rig.proxy.hang()
  for (let round = 1; round <= 2; round++) {
    const answers = await Promise.all(requests(rig).map((send) => send()))
    for (const answer of answers.slice(0, 3)) unavailable(t, answer)
    t.match(answers.at(3), { status: 503 })
  }
  t.match(await call(`${rig.service.url}/health`), { status: 503, text: /"unhealthy"/ })
  t.match(await call(`${rig.service.url}/live`), { status: 200 })
  await rig.proxy.restore()
  await recovers(t, rig)
})

t.test('hanging at the shutdown: it ends all the same', async (t) => {
  const rig = await startRig(t)
  rig.proxy.hang()
  rig.service.child.kill('SIGTERM')
  t.same(await rig.service.exited, { code: 0, signal: null })
})

t.test('a connection that the server ends', async (t) => {
  const rig = await startRig(t)
  for (const send of requests(rig)) {
    await rig.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    const answer = await send()
    t.ok(answer.status < 300 || answer.status === 503, String(answer.status))
  }
  await recovers(t, rig)
})

t.test('no more connections to be had', async (t) => {
  const rig = await startRig(t)
  const { db, service } = rig
  await db.querySuper(`CREATE ROLE ${db.name} LOGIN PASSWORD 'limited' CONNECTION LIMIT 0`)
  t.teardown(() => db.querySuper(`DROP ROLE ${db.name}`))
  const limited = new URL(db.url)
  limited.username = db.name
  limited.password = 'limited'
  const { url } = await startService(t, { APP_DATABASE__URL: limited.href })
  unavailable(t, await register(url))
  t.match(await call(`${url}/ready`), { status: 503 })
  t.match(await call(`${service.url}/ready`), { status: 200 })
})

t.test('a wrong password, and none', async (t) => {
  const db = await createTestDatabase(t)
  for (const password of ['wrong', '']) {
    const wrong = new URL(db.url)
    wrong.password = password
    const { url, logs, stdout } = await startService(t, { APP_DATABASE__URL: wrong.href })
    unavailable(t, await register(url))
    t.match(await call(`${url}/ready`), { status: 503 })
    t.match(
      logs().find(({ msg }) => msg === 'the database is away; migrations wait for it'),
      { err: { message: /password/ } },
    )
    t.notMatch(stdout(), /wrong/)
  }
})

t.test('a database that only reads', async (t) => {
  const rig = await startRig(t)
  const { db, proxy, service, user } = rig
  await db.query(`ALTER DATABASE ${db.name} SET default_transaction_read_only = on`)
  await proxy.cut()
  await proxy.restore()
  const get = () => call(`${service.url}/api/v1/users/me`, { token: user.token })
  await eventually(async () => (await get()).status === 200)
  unavailable(t, await register(service.url))
  await db.query(`ALTER DATABASE ${db.name} RESET default_transaction_read_only`)
  await proxy.cut()
  await proxy.restore()
  await recovers(t, rig)
})

t.test('a deadlock and a full disk are 503, and leave nothing half done', async (t) => {
  const { db, service } = await startRig(t)
  for (const state of ['40P01', '40001', '53100', '58030']) {
    await db.query(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '${state}'; END $$`)
    await db.query('CREATE OR REPLACE TRIGGER fail AFTER INSERT ON users EXECUTE FUNCTION fail()')
    unavailable(t, await register(service.url))
    t.same(await db.query('SELECT count(*)::int FROM users'), [{ count: 1 }], state)
  }
  await db.query('DROP TRIGGER fail ON users')
  t.match(await register(service.url), { status: 201 })
})
