import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createTestApp } from '#test/support/helper.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

t.test('in development a browser finds its way from /', async (t) => {
  const { request } = await createTestApp(t)
  const { statusCode, headers, body } = await request({ url: '/', headers: BROWSER })
  t.match(
    { statusCode, headers },
    { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } },
  )
  t.match(headers['content-security-policy'], "default-src 'none'")
  const links = [...body.matchAll(/<a href="([^"]+)"/g)].map(([, link = '']) => link)
  t.same(
    links,
    ['docs', 'docs/json', 'admin/', 'dev/mail', 'health', 'metrics'],
    'relative, for proxies with a prefix',
  )
  for (const link of links) t.equal((await request({ url: `/${link}` })).statusCode, 200, link)
  t.same((await request({ url: '/' })).json(), { name: 'Groundwork', documentation: '/docs' })
  for (const [accept, type] of [
    ['TEXT/HTML', 'text/html'],
    ['application/json, text/html ; q=0.5', 'text/html'],
    ['text/html;q=0', 'application/json'],
    ['text/html; level=1; q=0.000, */*', 'application/json'],
    ['text/html;q=0.01', 'text/html'],
    ['*/*', 'application/json'],
    ['text/*', 'application/json'],
    ['application/x-text/html', 'application/json'],
  ] as const) {
    const answer = await request({ url: '/', headers: { accept } })
    t.match(answer, { statusCode: 200, headers: { 'content-type': `${type}; charset=utf-8` } }, accept)
  }
})

t.test('in production it says as little as it can', async (t) => {
  const { request } = await borrowTestApp(t, {
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET: 'a key for this test, of more than 32 bytes',
    APP_SERVER__PUBLIC_URL: 'https://example.com/prefix',
  })
  for (const headers of [{}, BROWSER]) {
    const response = await request({ url: '/', headers })
    t.equal(response.statusCode, 200)
    t.same(response.json(), { name: 'Groundwork' })
  }
})

t.test('where the documentation is served, / says where', async (t) => {
  const { request } = await borrowTestApp(t, {
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET: 'a key for this test, of more than 32 bytes',
    APP_SERVER__PUBLIC_URL: 'https://example.com/prefix',
    APP_DOCS__ENABLED: 'true',
  })
  t.same((await request({ url: '/' })).json(), { name: 'Groundwork', documentation: '/prefix/docs' })
})
