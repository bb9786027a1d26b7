import t, { type Test } from 'tap'
import { issue, type Purpose } from '#services/one-time-tokens/one-time-tokens.ts'
import { startRangeService } from '#test/services/passwords/range-service.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { exchange, listen, responsesIn } from '#test/support/raw-http.ts'

// Settings with a value that is not the default, and what that changes; most others have their tests beside what
// they set.

/** Milliseconds. */
const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('server.max_header_size, keep_alive_timeout and the times that requests get', async (t) => {
  const { app } = await createTestApp(t, {
    APP_SERVER__MAX_HEADER_SIZE: '2KiB',
    APP_SERVER__KEEP_ALIVE_TIMEOUT: '7s',
    APP_SERVER__REQUEST_TIMEOUT: '21s',
    APP_SERVER__HEADERS_TIMEOUT: '11s',
    APP_SERVER__STALL_TIMEOUT: '13s',
  })
  const port = await listen(app)
  const request = (size: number) =>
    exchange(port, `GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: ${'a'.repeat(size)}\r\n\r\n`)
  const [response] = responsesIn(await request(1500))
  t.equal(response?.status, 200)
  const [refused] = responsesIn(await request(3000))
  t.equal(refused?.status, 431)
  const { headers } = await fetch(`http://127.0.0.1:${port}/live`)
  t.equal(headers.get('keep-alive'), 'timeout=7')
  const { requestTimeout, headersTimeout, timeout } = app.server
  t.strictSame(
    { requestTimeout, headersTimeout, timeout },
    {
      // test/routes/api/v1/files/limits.test.ts: bodies of files have longer.
      requestTimeout: 0,
      headersTimeout: 11_000,
      timeout: 13_000,
    },
  )
})

t.test('database timeouts that PostgreSQL keeps', async (t) => {
  const { app } = await createTestApp(t, {
    APP_DATABASE__STATEMENT_TIMEOUT: '4321ms',
    APP_DATABASE__LOCK_TIMEOUT: '1234ms',
    APP_DATABASE__IDLE_IN_TRANSACTION_TIMEOUT: '5678ms',
  })
  const text = `SELECT name, setting FROM pg_settings
                WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`
  for (const pipelined of [true, false]) {
    const rows = await app.db.query<{ name: string; setting: string }>({ name: 'settings', text, pipelined })
    t.strictSame(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), {
      statement_timeout: '4321',
      lock_timeout: '1234',
      idle_in_transaction_session_timeout: '5678',
    })
  }
})

t.test('database.prepared_statements', async (t) => {
  for (const value of ['true', 'false']) {
    const { app } = await createTestApp(t, { APP_DATABASE__PREPARED_STATEMENTS: value, APP_ROLE: 'web' })
    const statement = { name: 'prepared', text: 'SELECT name FROM pg_prepared_statements', pipelined: true }
    await app.db.query(statement)
    const names = (await app.db.query<{ name: string }>(statement)).map(({ name }) => name)
    t.equal(names.includes('prepared'), value === 'true', value)
  }
})

t.test('database.query_timeout, and the connection is not used again', async (t) => {
  const { app } = await createTestApp(t, { APP_DATABASE__QUERY_TIMEOUT: '1s', APP_ROLE: 'web' })
  for (const pipelined of [true, false]) {
    const pid = async () =>
      (await app.db.query({ name: 'pid', text: 'SELECT pg_backend_pid()', pipelined }))[0]
    const before = await pid()
    const slow = app.db.query({ name: 'slow', text: 'SELECT pg_sleep(60), pg_backend_pid()', pipelined })
    await t.rejects(slow, {
      definition: { code: 'database_unavailable' },
      cause: { message: /read timeout/ },
    })
    t.notSame(await pid(), before)
  }
})

t.test('database.idle_timeout', async (t) => {
  const { app } = await createTestApp(t, { APP_DATABASE__IDLE_TIMEOUT: '100ms', APP_ROLE: 'web' })
  const one = () => app.db.query({ name: 'one', text: 'SELECT 1' })
  await Promise.all(Array.from({ length: 5 }, one))
  await eventually(async () => app.pg.pool.totalCount <= 1)
  t.pass('only the connection for short reads is left')
})

t.test('auth.password_words', async (t) => {
  const { request } = await createTestApp(t, { APP_AUTH__PASSWORD_WORDS: 'zeppelin' })
  t.match((await register(request, 'a fast Zeppelin ride')).json(), { code: 'password_holds_identity' })
  t.equal((await register(request, 'a fast airship ride')).statusCode, 201)
})

t.test('auth.breach_check.timeout and on_error', async (t) => {
  // It never answers.
  const service = await startRangeService(t, () => undefined)
  for (const [on_error, status] of [
    ['open', 201],
    ['closed', 503],
  ] as const) {
    await t.test(on_error, async (t) => {
      const timeouts = t.capture(AbortSignal, 'timeout', AbortSignal.timeout)
      const { request } = await createTestApp(t, {
        APP_AUTH__BREACH_CHECK__URL: service.url,
        APP_AUTH__BREACH_CHECK__TIMEOUT: '123ms',
        APP_AUTH__BREACH_CHECK__ON_ERROR: on_error,
      })
      t.equal((await register(request, 'a fast airship ride')).statusCode, status)
      t.match(timeouts(), [{ args: [123] }])
    })
  }
})

t.test('auth.session: idle_timeout, absolute_timeout and refresh_grace', async (t) => {
  const { db, request, signUp } = await createTestApp(t, {
    APP_AUTH__SESSION__IDLE_TIMEOUT: '2h',
    APP_AUTH__SESSION__ABSOLUTE_TIMEOUT: '5h',
    APP_AUTH__SESSION__REFRESH_GRACE: '9m',
  })
  const { refresh_token } = await signUp()
  const [session] = await db.query<{ idle: number; absolute: number }>(
    `SELECT extract(epoch FROM idle_expires_at - created_at)::integer AS idle,
            extract(epoch FROM expires_at - created_at)::integer AS absolute FROM sessions`,
  )
  t.strictSame(session, { idle: 2 * 3600, absolute: 5 * 3600 })
  const refresh = () => request({ method: 'POST', url: '/api/v1/auth/refresh', payload: { refresh_token } })
  t.equal((await refresh()).statusCode, 200)
  await db.query(
    "UPDATE refresh_tokens SET replaced_at = now() - interval '8 minutes' WHERE replaced_at IS NOT NULL",
  )
  t.equal((await refresh()).statusCode, 200, 'within the grace')
  await db.query(
    "UPDATE refresh_tokens SET replaced_at = now() - interval '10 minutes' WHERE replaced_at IS NOT NULL",
  )
  t.equal((await refresh()).statusCode, 401, 'after it')
})

t.test('auth.login_limit and auth.mail_limit', async (t) => {
  const { db, request } = await createTestApp(t, {
    APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '2',
    APP_AUTH__LOGIN_LIMIT__WINDOW: '3h',
    APP_AUTH__MAIL_LIMIT__PER_ACCOUNT: '1',
    APP_AUTH__MAIL_LIMIT__WINDOW: '5h',
  })
  const email = 'ada@example.com'
  await register(request, 'a fast airship ride', email)
  const login = () =>
    request({ method: 'POST', url: '/api/v1/auth/login', payload: { email, password: 'wrong' } })
  t.strictSame([(await login()).statusCode, (await login()).statusCode], [401, 401])
  const refused = await login()
  t.equal(refused.statusCode, 429)
  within(t, Number(refused.headers['retry-after']) * 1000, 3 * HOUR)

  const forgot = () => request({ method: 'POST', url: '/api/v1/auth/password/forgot', payload: { email } })
  await forgot()
  await forgot()
  const done = "SELECT FROM pgboss.job WHERE name = 'reset_mail' AND state = 'completed'"
  await eventually(async () => (await db.query(done)).length === 2)
  t.equal((await db.query("SELECT FROM pgboss.job WHERE name = 'send_mail'")).length, 1)
  const [row] = await db.query<{ left: number }>(
    `SELECT extract(epoch FROM expires_at - now())::float8 * 1000 AS left FROM login_attempts
     WHERE subject LIKE 'mail:%'`,
  )
  within(t, row?.left, 5 * HOUR)
})

t.test('auth.one_time_token', async (t) => {
  const { app, signUp } = await createTestApp(t, {
    APP_AUTH__ONE_TIME_TOKEN__VERIFY_LIFETIME: '2h',
    APP_AUTH__ONE_TIME_TOKEN__RESET_LIFETIME: '3h',
    APP_AUTH__ONE_TIME_TOKEN__INVITATION_LIFETIME: '4h',
  })
  const { user } = await signUp()
  const lifetimes: [Purpose, number][] = [
    ['verify_email', 2],
    ['change_email', 2],
    ['reset_password', 3],
    ['choose_password', 4],
  ]
  for (const [purpose, hours] of lifetimes) {
    const { expires_at } = await issue(app.ctx, {
      userId: user.id,
      purpose,
      ...(purpose === 'change_email' ? { newEmail: 'new@example.com' } : {}),
    })
    within(t, Date.parse(expires_at) - Date.now(), hours * HOUR)
  }
})

function register(request: TestApp['request'], password: string, email = 'bob@example.com') {
  const payload = { email, username: 'somebody', password }
  return request({ method: 'POST', url: '/api/v1/users', payload })
}

/** The rest of a time that began a moment ago. */
function within(t: Test, left: number | undefined, whole: number): void {
  t.ok(left !== undefined && left <= whole && left > whole - 5 * MINUTE, `${left} of ${whole} ms`)
}
