import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'
import t from 'tap'
import { HEADERS, PAGE_HEADERS } from '#plugins/http/security-headers.ts'
import { createTestApp } from '#test/support/helper.ts'

const COMMON = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': /max-age=\d{8}/,
  'cross-origin-resource-policy': 'same-origin',
}
/** Headers that only matter to a browser that shows a page. */
const PAGE = { 'cross-origin-opener-policy': 'same-origin', 'x-dns-prefetch-control': 'off' }
const CLOSED = "default-src 'none';frame-ancestors 'none'"

t.test('the headers are those of helmet, with a policy for answers that no browser shows', async (t) => {
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  })
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  middleware(request, response, (error) => t.error(error))
  t.strictSame({ ...HEADERS, ...PAGE_HEADERS }, { ...response.getHeaders() })
})

t.test('headers of every kind of response', async (t) => {
  const { request, signUp } = await createTestApp(t)
  const as = await signUp()
  const cases = [
    { name: 'a resource', url: '/api/v1/users/me', as, status: 200 },
    { name: 'a problem', url: '/api/v1/users/me', status: 401 },
    { name: 'an unknown route', url: '/nothing', status: 404 },
    { name: 'a wrong method', url: '/live', method: 'POST' as const, status: 405 },
    { name: 'bad text', url: '/live?%00', status: 400 },
    { name: 'a probe', url: '/live', status: 200 },
    { name: 'the metrics', url: '/metrics', status: 200 },
    { name: 'the document', url: '/docs/json', status: 200 },
  ]
  for (const { name, status, ...options } of cases) {
    t.test(name, async (t) => {
      const { statusCode, headers } = await request(options)
      t.equal(statusCode, status)
      t.match(headers, COMMON)
      t.equal(headers['cache-control'], 'no-store')
      t.equal(headers['x-powered-by'], undefined)
      t.equal(headers['server'], undefined)
    })
  }

  t.test('answers of the API are not for browsers to show', async (t) => {
    for (const url of ['/api/v1/users/me', '/live', '/nothing']) {
      t.equal((await request({ url })).headers['content-security-policy'], CLOSED)
    }
  })

  t.test('pages have all of them, answers to programs those that say something to one', async (t) => {
    for (const url of ['/account/reset-password', '/dev/mail'])
      t.match((await request({ url })).headers, PAGE)
    for (const name of Object.keys(PAGE)) t.notOk(name in (await request({ url: '/live' })).headers, name)
  })

  t.test('the docs may run their own scripts and no others', async (t) => {
    const { headers, body } = await request({ url: '/docs/' })
    t.match(headers, { ...COMMON, ...PAGE })
    const policy = String(headers['content-security-policy'])
    t.match(policy, "script-src 'self';")
    t.match(policy, "default-src 'none'")
    t.notMatch(policy, /script-src[^;]*unsafe/)
    t.notMatch(body, /<script>/, 'there is no inline script that it would stop')
    for (const [, file] of body.matchAll(/(?:src|href)="(\.[^"]+)"/g)) {
      const { statusCode } = await request({ url: new URL(String(file), 'http://a/docs/').pathname })
      t.equal(statusCode, 200, String(file))
    }
  })

  t.test('a URL that cannot be read gets what matters of them', async (t) => {
    t.match((await request({ url: '/%zz' })).headers, {
      'x-content-type-options': 'nosniff',
      'content-security-policy': CLOSED,
      'cache-control': 'no-store',
    })
  })
})
