import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call, registration } from '#test/support/http.ts'
import { waiting } from '#test/support/locks.ts'
import { startService } from '#test/support/process.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

// Processes, on a machine that may be busy.
t.setTimeout(180_000)

/** No jobs are worked on, so that no other transactions are in the proxy's way. */
const WEB = { APP_ROLE: 'web' }

/** A registration that can be sent again. */
function repeatable() {
  const json = registration()
  const headers = { 'idempotency-key': uuidv7() }
  return {
    username: json.username,
    send: (base: string) => call(`${base}/api/v1/users`, { method: 'POST', json, headers }),
  }
}

/** Waits for what may never come without leaving it unheard. */
function settled(answer: Promise<Answer>): Promise<Answer | Error> {
  return answer.catch((error: Error) => error)
}

async function users(db: TestDatabase, username: string): Promise<{ id: string }[]> {
  return db.query<{ id: string }>('SELECT id FROM users WHERE username = $1', [username])
}

/** Two instances: the first reaches the database by way of a proxy, the second does not. */
async function startRig(t: Test) {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url)
  const first = await startService(t, { APP_DATABASE__URL: proxy.url, ...WEB })
  const second = await startService(t, { APP_DATABASE__URL: db.url, ...WEB })
  return { db, proxy, first, second }
}

function replayed(t: Test, answer: Answer, user: { id: string } | undefined): void {
  t.match(answer, {
    status: 201,
    headers: {
      'idempotency-replayed': 'true',
      location: `/api/v1/users/${user?.id}`,
      etag: /^"[\d:.TZ-]+"$/,
      'content-type': 'application/json; charset=utf-8',
    },
  })
  t.match(JSON.parse(answer.text), { id: user?.id })
}

t.test('killed between commit and reply: another instance returns the answer', async (t) => {
  const { db, proxy, first, second } = await startRig(t)
  const { username, send } = repeatable()
  const committed = proxy.withholdAnswer('COMMIT')
  const lost = settled(send(first.url))
  await committed
  const [user] = await users(db, username)
  t.ok(user, 'it is committed')
  first.child.kill('SIGKILL')
  t.match(await first.exited, { signal: 'SIGKILL' })
  t.ok((await lost) instanceof Error, 'no reply came')

  for (let repetition = 1; repetition <= 2; repetition++) replayed(t, await send(second.url), user)
  t.equal((await users(db, username)).length, 1)
})

t.test('killed before the commit: another instance does it', async (t) => {
  const { db, proxy, first, second } = await startRig(t)
  const { username, send } = repeatable()
  const worked = proxy.withholdAnswer('UPDATE idempotency_keys')
  const lost = settled(send(first.url))
  await worked
  const waits = send(second.url)
  await waiting(db, 1)
  t.same(await users(db, username), [], 'nothing is committed')
  first.child.kill('SIGKILL')
  await first.exited
  t.ok((await lost) instanceof Error, 'no reply came')

  const answer = await waits
  t.match(answer, { status: 201, headers: { 'idempotency-replayed': undefined } })
  const [user] = await users(db, username)
  replayed(t, await send(second.url), user)
  t.equal((await users(db, username)).length, 1)
})

t.test('the answer to the commit is lost on its way: 503, and the retry gets the answer', async (t) => {
  const { db, proxy, first } = await startRig(t)
  const { username, send } = repeatable()
  const committed = proxy.withholdAnswer('COMMIT')
  const lost = send(first.url)
  await committed
  await proxy.cut()
  t.match(await lost, { status: 503, text: /"database_unavailable"/ })
  const [user] = await users(db, username)
  t.ok(user, 'it is committed all the same')

  await proxy.restore()
  await eventually(async () => (await call(`${first.url}/ready`)).status === 200)
  let answer = await send(first.url)
  // Each dead connection of the pool may cost one request.
  await eventually(async () => {
    if (answer.status === 503) answer = await send(first.url)
    return answer.status !== 503
  })
  replayed(t, answer, user)
  t.equal((await users(db, username)).length, 1)
})
