import { type ClientRequest, request } from 'node:http'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { audit, startLoad } from './ledger.ts'
import { assertUnharmed, startRig } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

/** No limit ends what the tests let hang before its client does. */
const PATIENT = {
  APP_DATABASE__STATEMENT_TIMEOUT: '250s',
  APP_DATABASE__QUERY_TIMEOUT: '260s',
  APP_DATABASE__CONNECTION_TIMEOUT: '60s',
  APP_DATABASE__MAX_CONNECTIONS: '4',
}

/** Writes of users whose names begin with `slow` take far longer than the test, and commits of `last` a while. */
const SLOWNESS = `
  CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(TG_ARGV[0]::int); RETURN NULL; END $$;
  CREATE TRIGGER slowly AFTER INSERT OR UPDATE ON users FOR EACH ROW
    WHEN (NEW.username LIKE 'slow%') EXECUTE FUNCTION slowly(600);
  CREATE CONSTRAINT TRIGGER slowly_at_last AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.username LIKE 'last%') EXECUTE FUNCTION slowly(1)`

/** Sends a request of which nobody will read the answer. */
function send(url: string, token: string, method: string, json: object): ClientRequest {
  const body = JSON.stringify(json)
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const outgoing = request(url, { method, headers, agent: false })
  outgoing.on('error', () => undefined)
  outgoing.end(body)
  return outgoing
}

t.test('clients that leave: their statements are cancelled, and the connections serve others', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t, { env: PATIENT })
  await postgres.query(SLOWNESS)
  const url = urls[0] ?? ''
  const sleepers = async () =>
    (await postgres.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length
  const pids = () =>
    postgres.query(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'groundwork' AND backend_type = 'client backend' ORDER BY pid",
    )
  const user = await signUpRemote(url)

  for (let round = 1; round <= 3; round++) {
    const abandoned = [
      send(`${url}/api/v1/users/me`, user.token, 'PATCH', { username: 'slow-self' }),
      send(`${url}/api/v1/users/invitations`, admin.token, 'POST', {
        email: 'slow@example.com',
        username: 'slow-guest',
      }),
    ]
    await eventually(async () => (await sleepers()) === 2)
    const before = await pids()
    for (const outgoing of abandoned) outgoing.destroy()
    await eventually(async () => (await sleepers()) === 0)
    // The others go on, over the same connections.
    const json = { username: `quick-${round}` }
    t.match(await call(`${url}/api/v1/users/me`, { method: 'PATCH', token: user.token, json }), {
      status: 200,
    })
    // On a busy machine one more may have been opened.
    const remaining = new Set((await pids()).map(({ pid }) => pid))
    t.ok(
      before.every(({ pid }) => remaining.has(pid)),
      'none was given up',
    )
    t.ok(remaining.size <= before.length + 1, 'the abandoned ones are used again')
  }
  t.same(await postgres.query("SELECT FROM users WHERE username LIKE 'slow%'"), [], 'all was rolled back')
  const { text } = await call(`${url}/metrics`)
  t.match(text, /^db_cancellations_total 6$/m)
  t.match(text, /^db_pool_connections\{state="waiting"\} 0$/m)

  const last = { email: 'last@example.com', username: 'last-guest' }
  const committing = send(`${url}/api/v1/users/invitations`, admin.token, 'POST', last)
  await eventually(async () => (await sleepers()) === 1)
  committing.destroy()
  await eventually(async () => (await sleepers()) === 0)
  const found = await postgres.query("SELECT username FROM users WHERE username LIKE 'last%'")
  t.same(found, [{ username: 'last-guest' }], 'what was committing is done')
  const lines = services[0]?.logs().filter(({ status }) => status === 499) ?? []
  t.equal(lines.length, 7, 'each has its line in the log')
  assertUnharmed(t, services)
})

t.test('clients that leave at any moment of a load', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t, {
    env: { APP_DATABASE__MAX_CONNECTIONS: '4' },
  })
  const url = urls[0] ?? ''
  // Half leave, at a moment that may be before, in and after the transaction.
  const patience = () => (Math.random() < 0.5 ? 10_000 : Math.random() * 60)
  const load = startLoad(t, { target: () => url, token: admin.token, patience })
  await load.fails(200)
  await load.acknowledges(50)
  await load.stop()
  const balance = await audit(t, load, postgres)
  t.comment(JSON.stringify(balance))
  await eventually(async () => {
    const { text } = await call(`${url}/metrics`)
    // The pipeline keeps one for good.
    return /^db_pool_connections\{state="active"\} 1$/m.test(text)
  })
  assertUnharmed(t, services)
})
