import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createRefusal } from '#plugins/http/overload/early-refusal.ts'
import { member, walk } from '#test/contract/document.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen } from '#test/support/raw-http.ts'

const APP = 'https://app.example.com'
const PREFLIGHT = {
  origin: APP,
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'authorization',
}

/** Origins of app shells and extensions. */
const SHELLS = [
  'capacitor://localhost',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  'safari-web-extension://5F2A4B3C-1D2E-4F3A-8B9C-0D1E2F3A4B5C',
]

/** Headers of OpenTelemetry, Sentry, Datadog, Zipkin, New Relic, jQuery, axios, and fetch with `cache: 'reload'`. */
const SENT_BY_LIBRARIES = [
  ...['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'x-request-id'],
  ...[
    'traceparent',
    'tracestate',
    'baggage',
    'sentry-trace',
    'x-datadog-trace-id',
    'x-b3-traceid',
    'newrelic',
  ],
  ...['x-requested-with', 'x-xsrf-token', 'cache-control', 'pragma', 'last-event-id'],
  // Of readers of files.
  ...['range', 'if-range', 'if-modified-since', 'if-unmodified-since'],
]

function namesOf(header: unknown): string[] {
  return String(header).split(/, */)
}

/** Every header of CORS that a response has. */
function corsHeaders(headers: object): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary')
}

t.test('without origins it is off', async (t) => {
  const { request } = await createTestApp(t)
  for (const url of ['/live', '/api/v1/users/me', '/nothing']) {
    t.strictSame(corsHeaders((await request({ url, headers: { origin: APP } })).headers), [])
  }
  const preflight = await request({ method: 'OPTIONS', url: '/api/v1/users/me', headers: PREFLIGHT })
  t.equal(preflight.statusCode, 204)
  t.strictSame(corsHeaders(preflight.headers), [])
})

t.test('with origins', async (t) => {
  const { app, request } = await createTestApp(t, {
    APP_CORS__ALLOWED_ORIGINS: [APP, 'http://localhost:3000', ...SHELLS].join(','),
    APP_CORS__ALLOWED_HEADERS: 'X-App-Version',
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET: 'k'.repeat(48),
  })

  t.test('those may read', async (t) => {
    for (const origin of [APP, 'http://localhost:3000', ...SHELLS]) {
      for (const url of ['/live', '/api/v1/users/me', '/nothing', '/live?a=%00', '/%zz']) {
        const { headers } = await request({ url, headers: { origin } })
        t.equal(headers['access-control-allow-origin'], origin, url)
        t.match(headers['vary'], /\bOrigin\b/i)
        t.match(headers['access-control-expose-headers'], /etag.*x-request-id/)
        t.notOk(headers['access-control-allow-credentials'])
      }
    }
  })

  t.test('no other may', async (t) => {
    const others = [
      'https://evil.example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.com',
      'https://APP.example.com',
      'https://app.example.com/',
      'null',
      'file://',
      'capacitor://localhost.evil.example',
      'ionic://localhost',
      '*',
      '',
    ]
    for (const origin of others) {
      const { headers } = await request({ url: '/live', headers: { origin } })
      t.equal(headers['access-control-allow-origin'], undefined, origin)
      t.match(headers['vary'], /\bOrigin\b/i, 'caches keep the answers apart')
    }
  })

  t.test('a preflight is answered before anything is asked for', async (t) => {
    const response = await request({ method: 'OPTIONS', url: '/api/v1/users/me', headers: PREFLIGHT })
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    const { headers } = response
    t.equal(headers['access-control-allow-origin'], APP)
    t.strictSame(String(headers['access-control-allow-methods']).split(/, */).sort(), [
      'DELETE',
      'GET',
      'HEAD',
      'PATCH',
      'POST',
      'PUT',
    ])
    const allowed = namesOf(headers['access-control-allow-headers'])
    for (const name of SENT_BY_LIBRARIES) t.ok(allowed.includes(name), name)
    t.ok(allowed.includes('x-app-version'), 'what the operator adds')
    t.notOk(allowed.includes('*'))
    t.equal(headers['access-control-max-age'], '600')
    t.ok(headers['x-request-id'])
  })

  t.test('every header that the document declares can be read', async (t) => {
    const { headers } = await request({ url: '/live', headers: { origin: APP } })
    const exposed = namesOf(headers['access-control-expose-headers'])
    const declared = new Set<string>()
    walk(app.swagger(), (node) => {
      if ('description' in node)
        for (const name of Object.keys(member(node, 'headers') ?? {})) declared.add(name)
    })
    t.ok(declared.size > 5)
    t.strictSame(
      [...declared].filter((name) => !exposed.includes(name)),
      [],
    )
  })

  t.test('a refusal that comes before the hooks can be read', async (t) => {
    t.strictSame(app.readableBy('https://evil.example'), {})
    t.strictSame(app.readableBy(undefined), {})
    const port = await listen(app)
    const refuse = createRefusal(7, app.readableBy)
    const server = createServer(refuse).listen(0)
    t.teardown(() => server.close())
    const { port: refusing } = server.address() as AddressInfo
    for (const [url, status] of [
      [`http://127.0.0.1:${refusing}/`, 503],
      [`http://127.0.0.1:${port}/%zz`, 400],
    ] as const) {
      const response = await fetch(url, { headers: { origin: APP } })
      t.equal(response.status, status)
      t.equal(response.headers.get('access-control-allow-origin'), APP)
      t.ok(namesOf(response.headers.get('access-control-expose-headers')).includes('retry-after'))
      t.equal(response.headers.get('vary'), 'Origin')
      await response.body?.cancel()
    }
  })

  t.test('a preflight of another origin allows nothing', async (t) => {
    const { headers } = await request({
      method: 'OPTIONS',
      url: '/api/v1/users/me',
      headers: { ...PREFLIGHT, origin: 'https://evil.example.com' },
    })
    t.equal(headers['access-control-allow-origin'], undefined)
  })

  t.test('OPTIONS outside a preflight names the methods', async (t) => {
    const response = await request({ method: 'OPTIONS', url: '/live' })
    t.equal(response.statusCode, 204)
    t.equal(response.headers['allow'], 'GET, HEAD, OPTIONS')
  })
})

t.test('in development * lets everyone in', async (t) => {
  const { request } = await createTestApp(t, { APP_CORS__ALLOWED_ORIGINS: '*' })
  const { headers } = await request({ url: '/live', headers: { origin: 'https://any.example.com' } })
  t.equal(headers['access-control-allow-origin'], '*')
  t.notOk(headers['access-control-allow-credentials'])
  const preflight = await request({ method: 'OPTIONS', url: '/api/v1/users', headers: PREFLIGHT })
  t.equal(preflight.statusCode, 204)
  t.equal(preflight.headers['access-control-allow-origin'], '*')
})
