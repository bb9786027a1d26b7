import t from 'tap'
import { createTestApp } from '../helper.ts'

const APP = 'https://app.example.com'
const PREFLIGHT = {
  origin: APP,
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'authorization',
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
  const { request } = await createTestApp(t, {
    APP_CORS__ALLOWED_ORIGINS: `${APP},http://localhost:3000`,
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET: 'k'.repeat(48),
  })

  t.test('those may read', async (t) => {
    for (const origin of [APP, 'http://localhost:3000']) {
      for (const url of ['/live', '/api/v1/users/me', '/nothing', '/live?a=%00']) {
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
    t.match(headers['access-control-allow-headers'], /authorization.*content-type.*if-match/)
    t.equal(headers['access-control-max-age'], '600')
    t.ok(headers['x-request-id'])
  })

  t.test('a preflight of another origin allows nothing', async (t) => {
    const { headers } = await request({
      method: 'OPTIONS',
      url: '/api/v1/users/me',
      headers: { ...PREFLIGHT, origin: 'https://evil.example.com' },
    })
    t.equal(headers['access-control-allow-origin'], undefined)
  })

  t.test('OPTIONS that is no preflight names the methods', async (t) => {
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
