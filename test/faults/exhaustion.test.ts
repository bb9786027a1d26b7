import pg from 'pg'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'
import { assertAnswers, audit, startLoad, write, writeId } from './ledger.ts'
import { assertUnharmed, ready, SHORT, startRig, unavailable } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

t.test('the pool is exhausted: who waits too long gets 503, reads by key go on', async (t) => {
  const env = { APP_DATABASE__MAX_CONNECTIONS: '3', APP_DATABASE__LOCK_TIMEOUT: '60s' }
  const patient = { APP_DATABASE__STATEMENT_TIMEOUT: '60s', APP_DATABASE__QUERY_TIMEOUT: '60s' }
  const { postgres, services, urls, admin } = await startRig(t, { env: { ...env, ...patient } })
  const url = urls[0] ?? ''
  const load = startLoad(t, { target: () => url, token: admin.token })
  await load.acknowledges(20)
  const holder = await connect(t, postgres.direct())
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE one_time_tokens IN ACCESS EXCLUSIVE MODE')
  await load.fails(20)
  t.match(await call(`${url}/api/v1/users/me`, { token: admin.token }), { status: 200 })
  t.match(await call(`${url}/api/v1/users/${admin.id}`, { token: admin.token }), { status: 200 })
  t.match(await call(`${url}/ready`), { status: 200 })
  t.match(await call(`${url}/metrics`), { text: /^db_pool_connections\{state="active"\} 3$/m })
  await holder.query('ROLLBACK')
  await load.acknowledges(20)
  await load.stop()
  await audit(t, load, postgres)
  assertAnswers(t, load)
  assertUnharmed(t, services)
})

t.test('the server takes no more connections: 503, the rest goes on, and recovery', async (t) => {
  const rig = await startRig(t, { settings: { max_connections: '25' } })
  const { postgres, admin } = rig
  const first = rig.urls[0] ?? ''
  const load = startLoad(t, { target: () => first, token: admin.token, writers: 4 })
  await load.acknowledges(20)
  const others: pg.Client[] = []
  await t.rejects(
    async () => {
      for (;;) others.push(await connect(t, postgres.direct()))
    },
    { code: '53300' },
  )
  // It has what it has; one that comes now gets nothing.
  const second = await startService(t, { APP_DATABASE__URL: postgres.url, APP_ROLE: 'web', ...SHORT })
  t.match(await call(`${second.url}/ready`), { status: 503 })
  t.match(await call(`${second.url}/live`), { status: 200 })
  unavailable(t, await write(second.url, admin.token, writeId()))
  await load.acknowledges(20)
  t.match(await call(`${first}/ready`), { status: 200 })

  // One that loses what it has goes without.
  const [spare] = others
  await spare?.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'groundwork%' AND usename = current_user",
  )
  await load.fails(1)
  await Promise.all(others.map((client) => client.end()))
  for (const url of [first, second.url]) await ready(url)
  await load.acknowledges(20)
  await load.stop()
  await audit(t, load, postgres)
  assertAnswers(t, load)
  assertUnharmed(t, [...rig.services, second])
})

t.test('a slow statement ends at its limit, and others do not wait for it', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t)
  const url = urls[0] ?? ''
  await postgres.query(`CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'`)
  await postgres.query(`CREATE TRIGGER slowly AFTER INSERT OR UPDATE ON users FOR EACH ROW
    WHEN (NEW.username LIKE 'slow%') EXECUTE FUNCTION slowly()`)
  const user = await signUpRemote(url)
  const load = startLoad(t, { target: () => url, token: admin.token, writers: 2 })
  const slow = () => [
    write(url, admin.token, 'slow-guest'),
    call(`${url}/api/v1/users/me`, { method: 'PATCH', token: user.token, json: { username: 'slow-self' } }),
  ]
  for (let round = 1; round <= 3; round++) {
    const answers = Promise.all(slow())
    await eventually(async () => {
      const sleepers = await postgres.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
      return sleepers.length === 2
    })
    await load.acknowledges(10)
    for (const answer of await answers) unavailable(t, answer)
  }
  await load.stop()
  t.equal(load.count(201), load.entries.length, 'no other request failed')
  await audit(t, load, postgres)
  t.same(await postgres.query("SELECT FROM users WHERE username LIKE 'slow%'"), [])
  assertUnharmed(t, services)
})
