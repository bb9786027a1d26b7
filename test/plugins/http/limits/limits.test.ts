import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { isProblem, listen, respond } from '#test/support/raw-http.ts'

/** A window that does not end during a test. */
const LIMITS = {
  APP_RATE_LIMIT__ENABLED: 'true',
  APP_RATE_LIMIT__WINDOW: '1h',
  APP_RATE_LIMIT__STORE: 'memory',
}

const ME = '/api/v1/users/me'

/** Small limits, so that a test need not send much. */
function limitedApp(t: Test, env: Record<string, string> = {}): Promise<TestApp> {
  return createTestApp(t, {
    ...LIMITS,
    APP_RATE_LIMIT__PER_USER: '10',
    APP_RATE_LIMIT__PER_ADDRESS: '5',
    ...env,
  })
}

/** Sends requests in turn and returns their statuses. */
async function statuses(app: TestApp, count: number, options: InjectOptions | string): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) {
    const { statusCode } = await app.request(typeof options === 'string' ? { url: options } : options)
    found.push(statusCode)
  }
  return found
}

function refused(t: Test, response: LightMyRequestResponse): void {
  t.equal(response.statusCode, 429)
  t.match(response.json(), { status: 429, code: 'rate_limited' })
  t.match(response.headers, { 'content-type': 'application/problem+json; charset=utf-8' })
  t.match(String(response.headers['retry-after']), /^\d+$/)
  t.ok(response.headers['x-request-id'])
}

/** Values of the headers. */
function budget({ headers }: LightMyRequestResponse): [limit: number, remaining: number] {
  return [Number(headers['ratelimit-limit']), Number(headers['ratelimit-remaining'])]
}

async function metric(app: TestApp, name: string): Promise<Record<string, number>> {
  const values = (await app.app.metrics.getSingleMetric(name)?.get())?.values ?? []
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]))
}

t.test('an address that asks too much', async (t) => {
  const app = await limitedApp(t)
  const address = { url: ME, remoteAddress: '192.0.2.1' }

  t.test('is told what is left, then refused', async (t) => {
    for (const remaining of [4, 3, 2, 1, 0]) {
      const response = await app.request(address)
      t.equal(response.statusCode, 401)
      t.strictSame(budget(response), [5, remaining])
      t.match(String(response.headers['ratelimit-reset']), /^3[56]\d\d$/)
      t.notOk(response.headers['retry-after'])
    }
    const response = await app.request(address)
    refused(t, response)
    t.strictSame(budget(response), [5, 0])
    t.equal(response.headers['ratelimit-reset'], response.headers['retry-after'])
    t.strictSame(await metric(app, 'rate_limit_refusals_total'), {
      user: 0,
      api_key: 0,
      organization: 0,
      address: 1,
    })
    t.strictSame(await metric(app, 'rate_limit_store'), { memory: 1, postgres: 0, redis: 0 })
    t.strictSame(await metric(app, 'rate_limit_decisions_alone_total'), { '': 0 })
  })

  t.test('gets no further, whatever it asks for', async (t) => {
    const requests: InjectOptions[] = [
      { url: '/nothing' },
      { url: '/api/v1/users/%zz' },
      { url: `/api/v1/users/${'a'.repeat(600)}` },
      { url: '/docs' },
      { url: '/.well-known/jwks.json' },
      { method: 'OPTIONS', url: ME },
      { method: 'PUT', url: ME },
      { method: 'POST', url: '/api/v1/auth/login', payload: '{', headers: { 'content-type': 'text/plain' } },
      { url: `${ME}?a=%00` },
      { url: ME, headers: { authorization: 'Bearer a.b.c' } },
      { url: ME, headers: { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' } },
      ...['//api/v1/users/me', `${ME}/`, '/api/v1/users/%6de', '/API/v1/users/me', '/api/v1//users/me'].map(
        (url) => ({ url }),
      ),
    ]
    for (const request of requests) {
      const response = await app.request({ ...request, remoteAddress: address.remoteAddress })
      t.equal(response.statusCode, 429, `${request.method ?? 'GET'} ${request.url}`)
      t.match(response.json(), { code: 'rate_limited' })
    }
  })

  t.test('keeps nobody else from asking, and is still alive to probes', async (t) => {
    t.equal((await app.request({ ...address, remoteAddress: '192.0.2.2' })).statusCode, 401)
    for (const url of ['/live', '/ready', '/health', '/metrics']) {
      const response = await app.request({ ...address, url })
      t.equal(response.statusCode, 200, url)
      t.strictSame(budget(response), [Number.NaN, Number.NaN], url)
    }
  })

  t.test('is in the log once, and then at debug', async (t) => {
    const levels = app
      .logs()
      .filter(({ status, remote_address }) => status === 429 && remote_address === '192.0.2.1')
    t.match(levels[0], { level: 'info', operation: 'getCurrentUser' })
    t.ok(levels.length > 10)
    t.ok(levels.slice(1).every(({ level }) => level === 'debug'))
  })
})

t.test('one budget over all routes, which cost what they cause', async (t) => {
  const app = await limitedApp(t, { APP_RATE_LIMIT__PER_ADDRESS: '50' })
  const login = {
    method: 'POST' as const,
    url: '/api/v1/auth/login',
    payload: { email: 'a@b.example', password: 'x' },
  }
  t.strictSame(budget(await app.request({ url: '/nothing' })), [50, 49])
  t.strictSame(budget(await app.request(login)), [50, 29])
  t.strictSame(budget(await app.request({ method: 'POST', url: '/api/v1/users', payload: {} })), [50, 9])
  const tooDear = await app.request(login)
  refused(t, tooDear)
  t.strictSame(budget(tooDear), [50, 9], 'what was refused costs nothing')
  t.equal((await app.request({ url: '/nothing' })).statusCode, 404)
  t.strictSame(budget(await app.request({ method: 'HEAD', url: ME })), [50, 7])
})

t.test('what costs more than there is takes all of it', async (t) => {
  const app = await limitedApp(t)
  const login = {
    method: 'POST' as const,
    url: '/api/v1/auth/login',
    payload: { email: 'a@b.example', password: 'x' },
  }
  const first = await app.request(login)
  t.equal(first.statusCode, 401)
  t.strictSame(budget(first), [5, 0])
  refused(t, await app.request(login))
})

t.test('a user has a budget of its own', async (t) => {
  const app = await limitedApp(t)
  const [ada, bob] = [await app.signUp(), await app.signUp()]

  t.test('from the second request of a token, wherever it comes from', async (t) => {
    t.strictSame(budget(await app.request({ url: ME, as: ada })), [5, 4], 'nothing is known of the first yet')
    for (let remaining = 9; remaining >= 0; remaining--) {
      const response = await app.request({ url: ME, as: ada, remoteAddress: `192.0.2.${remaining}` })
      t.equal(response.statusCode, 200)
      t.strictSame(budget(response), [10, remaining])
    }
    refused(t, await app.request({ url: ME, as: ada, remoteAddress: '192.0.2.99' }))
    t.strictSame(await metric(app, 'rate_limit_refusals_total'), {
      user: 1,
      api_key: 0,
      organization: 0,
      address: 0,
    })
  })

  t.test('over all its tokens', async (t) => {
    const again = {
      ...ada,
      headers: { authorization: `Bearer ${app.app.tokens.issue(ada.user, ada.session_id)}` },
    }
    await app.request({ url: ME, as: again, remoteAddress: '192.0.2.50' })
    refused(t, await app.request({ url: ME, as: again, remoteAddress: '192.0.2.50' }))
  })

  t.test('its neighbours have theirs', async (t) => {
    await app.request({ url: ME, as: bob, remoteAddress: '192.0.2.60' })
    t.strictSame(budget(await app.request({ url: ME, as: bob, remoteAddress: '192.0.2.60' })), [10, 9])
  })

  t.test('a token that is not ours, or not valid any more, identifies no user', async (t) => {
    const forged = `${bob.headers.authorization.slice(0, -4)}AAAA`
    const from = { url: ME, remoteAddress: '192.0.2.70' }
    for (let i = 0; i < 5; i++) {
      t.equal((await app.request({ ...from, headers: { authorization: forged } })).statusCode, 401)
    }
    refused(t, await app.request({ ...from, headers: { authorization: forged } }))
    refused(t, await app.request(from))
    t.equal((await app.request({ ...from, as: bob })).statusCode, 200, 'users behind the same address go on')
  })
})

t.test('networks', async (t) => {
  t.test('an IPv6 host is its /64, an IPv4 address in IPv6 is itself', async (t) => {
    const app = await limitedApp(t)
    for (const host of [':1', ':2', 'ffff:ffff:ffff:ffff', 'a:b:c:d', '0:0:0:9']) {
      t.equal((await app.request({ url: ME, remoteAddress: `2001:db8:1:2:${host}` })).statusCode, 401, host)
    }
    refused(t, await app.request({ url: ME, remoteAddress: '2001:db8:1:2::77' }))
    refused(t, await app.request({ url: ME, remoteAddress: '2001:0DB8:0001:0002:0000:0000:0000:0077' }))
    t.equal((await app.request({ url: ME, remoteAddress: '2001:db8:1:3::1' })).statusCode, 401)
    t.strictSame(
      await statuses(app, 5, { url: ME, remoteAddress: '::ffff:192.0.2.1' }),
      [401, 401, 401, 401, 401],
    )
    refused(t, await app.request({ url: ME, remoteAddress: '192.0.2.1' }))
  })

  t.test('behind trusted proxies the rightmost other hop is the client', async (t) => {
    const app = await limitedApp(t, { APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1' })
    const by = (forwarded: string, remoteAddress = '10.0.0.1') =>
      app.request({ url: ME, remoteAddress, headers: { 'x-forwarded-for': forwarded } })
    for (const spoofed of ['1.1.1.1', '2.2.2.2', '10.9.9.9', 'unknown', '']) {
      t.equal((await by(`${spoofed}, 192.0.2.1, 10.0.0.7`)).statusCode, 401, spoofed)
    }
    refused(t, await by('3.3.3.3, 192.0.2.1'))
    refused(t, await by('192.0.2.1', '127.0.0.1'))
    refused(t, await app.request({ url: ME, remoteAddress: '192.0.2.1' }))
    t.equal((await by('192.0.2.2')).statusCode, 401)
    t.equal((await by('192.0.2.1', '203.0.113.1')).statusCode, 401, 'who is not trusted speaks for itself')
  })

  t.test('a trusted proxy that sends nonsense is the client itself', async (t) => {
    const app = await limitedApp(t, { APP_SERVER__TRUSTED_PROXIES: '10.0.0.1' })
    for (let i = 0; i < 5; i++) {
      const headers = { 'x-forwarded-for': `nonsense ${i}` }
      t.equal((await app.request({ url: ME, remoteAddress: '10.0.0.1', headers })).statusCode, 401)
    }
    refused(
      t,
      await app.request({ url: ME, remoteAddress: '10.0.0.1', headers: { 'x-forwarded-for': 'more' } }),
    )
  })
})

t.test('the body of a refused request is not read', async (t) => {
  const app = await limitedApp(t, { APP_RATE_LIMIT__PER_ADDRESS: '1' })
  const port = await listen(app.app)
  const head =
    'POST /api/v1/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n'
  await app.request({ url: '/nothing' })
  isProblem(t, await respond(port, head), 429, 'rate_limited')
})

t.test('pages of allowed origins can read that they are refused, and preflights count', async (t) => {
  const origin = 'https://app.example.com'
  const app = await limitedApp(t, { APP_CORS__ALLOWED_ORIGINS: origin })
  const preflight = {
    method: 'OPTIONS' as const,
    url: ME,
    headers: { origin, 'access-control-request-method': 'GET' },
  }
  t.strictSame(await statuses(app, 3, preflight), [204, 204, 204])
  t.strictSame(budget(await app.request({ url: ME, headers: { origin } })), [5, 1])
  const other = { ...preflight, headers: { ...preflight.headers, origin: 'https://evil.example' } }
  t.strictSame(budget(await app.request(other)), [5, 0], 'once, also where CORS has no answer')
  const response = await app.request({ url: ME, headers: { origin } })
  refused(t, response)
  t.equal(response.headers['access-control-allow-origin'], origin)
  t.match(
    response.headers['access-control-expose-headers'],
    /ratelimit-limit, ratelimit-remaining, ratelimit-reset/,
  )
  t.equal((await app.request(preflight)).statusCode, 429)
})

t.test('the window ends', async (t) => {
  const app = await limitedApp(t, { APP_RATE_LIMIT__PER_ADDRESS: '1', APP_RATE_LIMIT__WINDOW: '1s' })
  t.equal((await app.request({ url: ME })).statusCode, 401)
  const seen = new Set<number>()
  while (!(seen.has(429) && seen.has(401))) seen.add((await app.request({ url: ME })).statusCode)
  t.strictSame([...seen].sort(), [401, 429])
})

t.test('turned off, nothing is limited and no header says so', async (t) => {
  const app = await createTestApp(t, { APP_RATE_LIMIT__PER_ADDRESS: '1' })
  t.strictSame(await statuses(app, 3, ME), [401, 401, 401])
  const { headers } = await app.request({ url: '/api/v1/users/%zz' })
  t.equal(headers['ratelimit-limit'], undefined)
  t.strictSame(await metric(app, 'rate_limit_store'), {})
})
