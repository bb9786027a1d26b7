import { once } from 'node:events'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen, open } from '#test/support/raw-http.ts'

t.test('one line for each request', async (t) => {
  const { request, signUp, logs, app } = await createTestApp(t, {}, async (instance) => {
    instance.get('/broken', { schema: { hide: true } }, async () => {
      throw new Error('broken')
    })
  })
  const user = await signUp()
  const linesOf = (id: unknown) => logs().filter((line) => line['request_id'] === id)

  const cases = [
    {
      url: '/api/v1/users/me',
      as: user,
      line: { level: 'info', operation: 'getCurrentUser', status: 200, user_id: user.user.id },
    },
    {
      url: '/api/v1/users/me',
      line: { level: 'info', operation: 'getCurrentUser', status: 401, user_id: undefined },
    },
    {
      url: '/api/v1/users',
      as: user,
      line: { level: 'info', operation: 'listUsers', status: 403, user_id: user.user.id },
    },
    { url: '/nothing?q=typed', line: { level: 'info', operation: 'unknown', status: 404, path: '/nothing' } },
    { url: '/docs/json', line: { level: 'info', operation: 'other', status: 200 } },
    { url: '/live', line: { level: 'debug', operation: 'getLiveness', status: 200 } },
    { url: '/ready', line: { level: 'debug', operation: 'getReadiness', status: 200 } },
    { url: '/health', line: { level: 'debug', operation: 'getHealth', status: 200 } },
    { url: '/metrics', line: { level: 'debug', operation: 'getMetrics', status: 200 } },
    { url: '/live?a=%00', line: { level: 'info', operation: 'getLiveness', status: 400 } },
    { url: `/${'a'.repeat(1000)}`, line: { level: 'info', status: 404, path: `/${'a'.repeat(199)}` } },
    {
      url: '/broken',
      line: { level: 'error', operation: 'other', status: 500, err: { message: 'broken', stack: String } },
    },
    { url: '/%zz', line: { level: 'info', operation: 'unknown', status: 400 } },
  ]
  for (const { line, ...options } of cases) {
    t.test(`${options.url.slice(0, 40)} ${line.status}`, async (t) => {
      const { headers } = await request({ method: 'GET', ...options })
      const lines = linesOf(headers['x-request-id'])
      t.equal(lines.length, 1)
      t.match(lines[0], {
        time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
        method: 'GET',
        duration_ms: Number,
        remote_address: '127.0.0.1',
        msg: line.status === 500 ? 'request failed' : 'request completed',
        ...line,
      })
    })
  }

  t.test('a probe that answers 503 is not an error of its own', async (t) => {
    app.drain()
    const { headers } = await request({ url: '/ready' })
    t.match(linesOf(headers['x-request-id']), [{ level: 'debug', status: 503 }])
  })
})

t.test("the address is the connection's, unless a proxy is trusted", async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.7' }
  const direct = await createTestApp(t)
  await direct.request({ url: '/nothing', headers })
  t.match(direct.logs().at(-1), { remote_address: '127.0.0.1' })
  const behind = await createTestApp(t, { APP_SERVER__TRUSTED_PROXIES: 'loopback' })
  await behind.request({ url: '/nothing', headers })
  t.match(behind.logs().at(-1), { remote_address: '203.0.113.7' })
})

t.test('the message of an error is searched for secrets', async (t) => {
  const { request, logs } = await createTestApp(t, {}, async (instance) => {
    instance.get('/broken', { schema: { hide: true } }, async () => {
      throw new Error('no answer to password=S3cr3tVa1ue')
    })
  })
  await request({ url: '/broken' })
  t.match(
    logs().filter(({ status }) => status === 500),
    [{ err: { message: 'no answer to password=[redacted]' } }],
  )
})

t.test('a client that leaves is 499', async (t) => {
  const { app, logs } = await createTestApp(t, {}, async (instance) => {
    instance.get('/slow', { schema: { hide: true } }, async (request) => {
      await once(request.raw.socket, 'close')
      return {}
    })
  })
  const socket = open(t, await listen(app))
  const id = crypto.randomUUID()
  socket.write(`GET /slow HTTP/1.1\r\nHost: a\r\nx-request-id: ${id}\r\n\r\n`)
  await eventually(async () => (await app.metrics.metrics()).includes('http_requests_in_flight 1\n'))
  socket.destroy()
  const line = () => logs().find((record) => record['request_id'] === id)
  await eventually(async () => line() !== undefined)
  t.match(line(), { level: 'info', status: 499, remote_address: '127.0.0.1' })
})

t.test('what clients send is not in the log', async (t) => {
  const SECRET = 'S3cr3tVa1ue'
  const { request, signUp, logLines } = await createTestApp(t)
  const { user } = await signUp({ password: `${SECRET} right` })
  const login = (password: string) =>
    request({ method: 'POST', url: '/api/v1/auth/login', payload: { email: user.email, password } })

  const right = await login(`${SECRET} right`)
  t.equal(right.statusCode, 200)
  t.equal((await login(`${SECRET} wrong`)).statusCode, 401)
  t.equal((await login(SECRET.repeat(100))).statusCode, 400)
  t.equal((await login(`${SECRET}\ud800`)).statusCode, 400)
  const { access_token } = right.json()
  const bearer = (token: string) =>
    request({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${token}` } })
  t.equal((await bearer(access_token)).statusCode, 200)
  t.equal((await bearer(`${access_token}${SECRET}`)).statusCode, 401)
  t.equal((await bearer(SECRET)).statusCode, 401)
  for (const url of [`/live?password=${SECRET}`, `/nothing?token=${SECRET}`, `/nothing/token=${SECRET}`]) {
    await request({
      url,
      headers: { cookie: `session=${SECRET}`, 'x-api-key': SECRET, referer: `/?t=${SECRET}` },
    })
  }
  await request({
    method: 'POST',
    url: '/api/v1/users',
    headers: { 'content-type': 'application/json' },
    body: `{"password":"${SECRET}"`,
  })

  const log = logLines.join('\n')
  t.ok(logLines.length > 10)
  t.notMatch(log, SECRET)
  t.notMatch(log, access_token.split('.')[2])
  t.notMatch(log, '$argon2')
})
