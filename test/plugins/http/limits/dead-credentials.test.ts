import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { statementsOf } from '#test/support/instances.ts'
import { testDeadCredentials } from './dead-credentials.ts'

const ME = '/api/v1/users/me'

t.test('a dead token, counted in memory', async (t) => {
  await testDeadCredentials(t, { APP_RATE_LIMIT__STORE: 'memory' })
})

t.test('a dead token, counted in PostgreSQL', async (t) => {
  await testDeadCredentials(t, { APP_RATE_LIMIT__STORE: 'postgres' })
})

t.test('a dead token, while nothing is kept of who is who', async (t) => {
  await testDeadCredentials(t, { APP_RATE_LIMIT__STORE: 'memory', APP_AUTH__CACHE: 'false' })
})

t.test('a dead token, of which the database tells nobody: this instance forgets it by itself', async (t) => {
  await testDeadCredentials(t, { APP_RATE_LIMIT__STORE: 'memory' }, async (db) => {
    await db.query('DROP TRIGGER users_notify_identity ON users')
    await db.query('DROP TRIGGER sessions_notify_ended ON sessions')
    await db.query('DROP TRIGGER sessions_notify_deleted ON sessions')
  })
})

t.test('a token of a role that its user has lost', async (t) => {
  const { app, request, signUp } = await createTestApp(t, {
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__STORE: 'memory',
    APP_RATE_LIMIT__PER_USER: '50',
    APP_RATE_LIMIT__PER_ADDRESS: '20',
  })
  const [admin, other] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
  for (const as of [admin, other, admin]) await request({ url: ME, as })
  await request({
    method: 'PATCH',
    url: `/api/v1/users/${admin.user.id}`,
    as: other,
    payload: { role: 'user' },
  })
  const { statusCode, headers } = await request({ url: ME, as: admin, remoteAddress: '192.0.2.1' })
  t.match({ statusCode, headers }, { statusCode: 401, headers: { 'ratelimit-limit': '20' } })

  const promoted = {
    ...other,
    headers: { authorization: `Bearer ${app.tokens.issue(other.user, other.session_id)}` },
  }
  await request({ url: ME, as: promoted })
  const again = await request({ url: ME, as: promoted })
  t.match(again, { statusCode: 200, headers: { 'ratelimit-limit': '50' } })
})

t.test('what it costs to know that a token is alive', async (t) => {
  const limits = {
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__STORE: 'memory',
    APP_RATE_LIMIT__PER_USER: '5',
    APP_RATE_LIMIT__PER_ADDRESS: '1000',
    APP_ROLE: 'web',
  }

  t.test('without a cache one statement for a request, and none for one that is refused', async (t) => {
    const { app, request, signUp } = await createTestApp(t, { ...limits, APP_AUTH__CACHE: 'false' })
    const as = await signUp()
    await request({ url: ME, as })
    for (let sent = 0; sent < 5; sent++) {
      t.match(await statementsOf(app, () => request({ url: ME, as })), { selectSessionOwner: 1 })
    }
    const refused = async () => t.equal((await request({ url: ME, as })).statusCode, 429)
    t.strictSame(await statementsOf(app, refused), {})
  })

  t.test('a dead token is asked about once for each request that its network may make', async (t) => {
    const { app, request, signUp } = await createTestApp(t, { ...limits, APP_RATE_LIMIT__PER_ADDRESS: '4' })
    const as = await signUp()
    await request({ url: ME, as })
    await request({ method: 'POST', url: '/api/v1/auth/logout', as })
    const flood = async () => {
      for (let sent = 0; sent < 20; sent++) await request({ url: ME, as, remoteAddress: '192.0.2.9' })
    }
    t.match(await statementsOf(app, flood), { selectSessionOwner: 4 })
  })

  t.test('routes that are open to all ask nobody', async (t) => {
    const { app, request, signUp } = await createTestApp(t, { ...limits, APP_AUTH__CACHE: 'false' })
    const as = await signUp()
    await request({ url: ME, as })
    const open = async () => {
      const { headers } = await request({ url: '/.well-known/jwks.json', as })
      t.equal(headers['ratelimit-limit'], '1000')
    }
    t.strictSame(await statementsOf(app, open), {})
  })
})
