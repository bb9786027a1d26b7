import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance, statementsOf } from '#test/support/instances.ts'

const USERS = '/api/v1/users'
const INVITATIONS = '/api/v1/users/invitations'
const ADA = { email: 'ada@example.com', username: 'ada', password: 'S3cr3t horse battery' }
const EVE = { email: 'eve@example.com', username: 'eve', password: 'S3cr3t horse battery' }

/** Sends a request under a key. */
function sender({ request }: Pick<TestApp, 'request'>, url: string, as?: TestUser) {
  return (key: string, payload: object, headers: Record<string, string> = {}) =>
    request({
      method: 'POST',
      url,
      payload,
      ...(as ? { as } : {}),
      headers: { 'idempotency-key': key, ...headers },
    })
}

/** Parts of a response that must be the same in a repetition. */
function answerOf({ statusCode, headers, body }: Awaited<ReturnType<ReturnType<typeof sender>>>) {
  const { location, etag } = headers
  return { statusCode, body, location, etag, type: headers['content-type'] }
}

t.test('createUser: the same key and body return the same answer, without another hash', async (t) => {
  const { app, db, request } = await createTestApp(t, { APP_ROLE: 'web' })
  const create = sender({ request }, USERS)
  const first = await create('a-key', ADA)
  t.equal(first.statusCode, 201)
  t.notOk('idempotency-replayed' in first.headers)
  t.match(answerOf(first), { location: `${USERS}/${first.json().id}`, etag: /^"[\d:.TZ-]+"$/ })

  const statements = await statementsOf(app, async () => {
    const again = await create('a-key', ADA)
    t.equal(again.headers['idempotency-replayed'], 'true')
    t.strictSame(answerOf(again), answerOf(first))
    t.not(again.headers['x-request-id'], first.headers['x-request-id'], 'but it is a request of its own')
  })
  t.strictSame(statements, { selectAnswer: 1 })
  const hashes = await app.metrics.getSingleMetricAsString('password_hash_duration_seconds')
  t.match(hashes, /_count\{operation="hash"\} 1$/m)
  t.same(await db.query('SELECT username FROM users'), [{ username: 'ada' }])
})

t.test('createUser: what counts is the parsed body', async (t) => {
  const create = sender(await borrowTestApp(t), USERS)
  const payload = { ...ADA, password: 'caf\u00e9 horse battery' }
  t.equal((await create('a-key', payload)).statusCode, 201)
  const reordered = { password: payload.password, username: payload.username, email: payload.email }
  t.equal((await create('a-key', reordered)).headers['idempotency-replayed'], 'true')
  const decomposed = { ...payload, password: 'cafe\u0301 horse battery' }
  t.equal((await create('a-key', decomposed)).headers['idempotency-replayed'], 'true')
  t.equal((await create('"a-key"', payload)).headers['idempotency-replayed'], 'true', 'with quotes')
})

t.test('createUser: another body under the key is refused, and nothing happens', async (t) => {
  const { db, ...app } = await borrowTestApp(t)
  const create = sender(app, USERS)
  await create('a-key', ADA)
  for (const payload of [
    EVE,
    { ...ADA, password: 'another password' },
    { ...ADA, email: 'Ada@example.com' },
  ]) {
    const refused = await create('a-key', payload)
    expectProblem(t, refused, { status: 409, code: 'idempotency_key_reused', absent: [ADA.email, 'S3cr3t'] })
    t.notOk('location' in refused.headers || 'etag' in refused.headers)
  }
  t.same(await db.query('SELECT username FROM users'), [{ username: 'ada' }])
  t.equal((await create('another-key', EVE)).statusCode, 201)
})

t.test('createUser: what was refused is not kept, so it can be put right', async (t) => {
  const { db, ...app } = await borrowTestApp(t)
  const create = sender(app, USERS)
  const weak = await create('a-key', { ...ADA, password: 'password1' })
  expectProblem(t, weak, { status: 400, code: 'password_too_common' })
  await create('other', EVE)
  const taken = await create('a-key', { ...ADA, username: EVE.username })
  expectProblem(t, taken, { status: 409, code: 'username_taken' })
  t.same(await db.query('SELECT count(*)::int FROM idempotency_keys'), [{ count: 1 }])
  t.equal((await create('a-key', ADA)).statusCode, 201)
})

t.test('createUser: without a key nothing is kept', async (t) => {
  const { db, request } = await borrowTestApp(t)
  t.equal((await request({ method: 'POST', url: USERS, payload: ADA })).statusCode, 201)
  const again = await request({ method: 'POST', url: USERS, payload: ADA })
  expectProblem(t, again, { status: 409, code: 'email_taken' })
  t.same(await db.query('SELECT id FROM idempotency_keys'), [])
})

t.test('createUser: nothing that was sent is kept, but for what the answer says', async (t) => {
  const { db, logLines, ...app } = await borrowTestApp(t)
  const create = sender(app, USERS)
  const { body } = await create('K3y-of-the-client', ADA)
  await create('K3y-of-the-client', ADA)
  const [row] = await db.query('SELECT * FROM idempotency_keys')
  t.match(row, { status: 201, body })
  for (const place of [JSON.stringify(row), ...logLines]) t.notMatch(place, /S3cr3t|K3y/)
  t.notMatch(body, /argon2|password/)
})

t.test('createUser: after 24 hours the key is new', async (t) => {
  const { db, ...app } = await borrowTestApp(t)
  const create = sender(app, USERS)
  await create('a-key', ADA)
  const kept = await db.query(
    'SELECT extract(epoch FROM expires_at - created_at)::int AS seconds FROM idempotency_keys',
  )
  t.same(kept, [{ seconds: 86_400 }])
  await db.query("UPDATE idempotency_keys SET created_at = now() - interval '24 hours', expires_at = now()")
  const again = await create('a-key', ADA)
  expectProblem(t, again, { status: 409, code: 'email_taken' })
  const other = await create('a-key', EVE)
  t.equal(other.statusCode, 201, 'another body is as good as the first')
  t.strictSame(answerOf(await create('a-key', EVE)), answerOf(other))
  t.same(await db.query('SELECT count(*)::int FROM idempotency_keys WHERE expires_at > now()'), [
    { count: 1 },
  ])
})

t.test('createUser where addresses are confirmed first: one registration, one mail', async (t) => {
  const env = { APP_AUTH__REGISTRATION: 'verify', APP_ROLE: 'web' }
  const { db, ...app } = await borrowTestApp(t, env)
  const create = sender(app, USERS)
  const first = await create('a-key', ADA)
  t.equal(first.statusCode, 202)
  const again = await create('a-key', ADA)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.strictSame(answerOf(again), answerOf(first))
  t.same(await db.query('SELECT username FROM registrations'), [{ username: 'ada' }])
  const jobs = await db.query("SELECT FROM pgboss.job WHERE name = 'registration_mail'")
  t.equal(jobs.length, 1)
})

t.test('inviteUser: one account and one mail; the key belongs to this admin', async (t) => {
  const { db, request, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [admin, other] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
  const payload = { email: ADA.email, username: ADA.username }
  const invite = sender({ request }, INVITATIONS, admin)
  const first = await invite('a-key', payload)
  t.equal(first.statusCode, 201)
  t.strictSame(answerOf(await invite('a-key', payload)), answerOf(first))
  const mails = await db.query("SELECT FROM pgboss.job WHERE name = 'send_mail'")
  t.equal(mails.length, 1)

  const asOther = sender({ request }, INVITATIONS, other)
  const taken = await asOther('a-key', payload)
  expectProblem(t, taken, { status: 409, code: 'email_taken' }, "another user's key is another key")
  t.equal((await asOther('a-key', { email: EVE.email, username: EVE.username })).statusCode, 201)
  const create = sender({ request }, USERS)
  t.equal((await create('a-key', { ...ADA, email: 'a@b.example', username: 'abc' })).statusCode, 201)

  const anonymous = sender({ request }, INVITATIONS)
  expectProblem(t, await anonymous('a-key', payload), { status: 401, code: 'unauthenticated' })
  await request({ method: 'PATCH', url: `${USERS}/${admin.user.id}`, payload: { role: 'user' }, as: other })
  const demoted = await invite('a-key', payload)
  t.ok([401, 403].includes(demoted.statusCode), 'who may not any more gets no kept answer')
})

t.test('fifty at once over two instances: one effect, and one answer', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const second = await startInstance(t, db)
  const admin = await signUp({ role: 'admin' })
  const cases = [
    { url: USERS, payload: ADA, headers: {} },
    { url: INVITATIONS, payload: { email: EVE.email, username: EVE.username }, headers: admin.headers },
  ]
  for (const { url, payload, headers } of cases) {
    const key = uuidv7()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => {
        const instance = n % 2 === 0 ? app : second
        return instance.inject({
          method: 'POST',
          url,
          payload,
          headers: { ...headers, 'idempotency-key': key },
        })
      }),
    )
    t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [201], url)
    t.equal(new Set(answers.map((answer) => JSON.stringify(answerOf(answer)))).size, 1, url)
    t.equal(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true').length, 49, url)
    const rows = await db.query('SELECT FROM users WHERE username = $1', [payload.username])
    t.equal(rows.length, 1)
  }
})
