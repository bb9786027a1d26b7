import { brotliDecompressSync } from 'node:zlib'
import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

t.test('the page loads its own files, and its policy allows nothing else', async (t) => {
  const { request } = await borrowTestApp(t)
  t.match(await request({ url: '/admin' }), { statusCode: 308, headers: { location: 'admin/' } })
  const { statusCode, headers, body } = await request({ url: '/admin/' })
  t.equal(statusCode, 200)
  t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  const csp = String(headers['content-security-policy'])
  t.match(csp, /^default-src 'none'; script-src 'self' 'sha256-[\w+/=]{44}'; style-src 'self'; /)
  t.match(csp, "require-trusted-types-for 'script'")
  t.notMatch(csp, 'unsafe')
  t.notMatch(body, / style=| on\w+=/, 'nothing inline')
  const scripts = [...body.matchAll(/<script type="(\w+)"/g)].map(([, type]) => type)
  t.strictSame(scripts, ['importmap', 'module'])
  const preloaded = [...body.matchAll(/modulepreload" href="([^"]+)"/g)].map(([, href]) => href)
  t.ok(preloaded.some((href) => href?.endsWith('/packages/preact.js')))
  t.notOk(
    preloaded.some((href) => href?.includes('/pages/')),
    'pages are loaded when somebody goes there',
  )
})

t.test('assets never change, and are compressed', async (t) => {
  const { request } = await borrowTestApp(t)
  const { body } = await request({ url: '/admin/' })
  const [, main = ''] = /src="(assets\/\w{16}\/main\.ts)"/.exec(body) ?? []
  const url = `/admin/${main}`
  const plain = await request({ url })
  t.match(plain.headers, {
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  })
  t.notOk(plain.headers['content-encoding'])
  t.notMatch(plain.body, 'import type', 'types are taken away')
  for (const coding of ['br', 'gzip, br', 'br;q=0.5, *;q=0']) {
    const packed = await request({ url, headers: { 'accept-encoding': coding } })
    t.equal(packed.headers['content-encoding'], 'br', coding)
    t.equal(brotliDecompressSync(packed.rawPayload).toString(), plain.body)
  }
  for (const coding of ['gzip', 'br;q=0', 'brotli']) {
    const { headers } = await request({ url, headers: { 'accept-encoding': coding } })
    t.notOk(headers['content-encoding'], coding)
  }
  for (const other of [
    url.replace(/\w{16}/, '0123456789abcdef'),
    url.replace('main.ts', 'missing.ts'),
    url.replace('main.ts', 'tsconfig.json'),
    url.replace('main.ts', '../tsconfig.json'),
    url.replace('main.ts', '%2e%2e%2fapp.ts'),
  ])
    expectProblem(t, await request({ url: other }), { status: 404, code: 'route_not_found' }, other)
})

t.test('without the panel there is nothing', async (t) => {
  const { request } = await borrowTestApp(t, { APP_ADMIN__PANEL: 'false' })
  for (const url of ['/admin', '/admin/', '/admin/session'])
    expectProblem(t, await request({ url }), { status: 404, code: 'route_not_found' }, url)
})
