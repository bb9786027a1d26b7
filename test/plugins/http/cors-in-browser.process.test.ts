import { createServer } from 'node:http'
import t from 'tap'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen } from '#test/support/raw-http.ts'

/** Headers that tracing SDKs and libraries add to the requests of a page. */
const HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-cache',
  'x-requested-with': 'XMLHttpRequest',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'vendor=value',
  baggage: 'sentry-release=1',
  'sentry-trace': '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1',
  'x-app-version': '1',
}

t.test(
  'a page of a listed origin calls with what its libraries add',
  { skip: withoutChromium },
  async (t) => {
    const pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<title>App</title>')
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    t.teardown(() => pages.close())
    const address = pages.address()
    if (address === null || typeof address === 'string') throw new TypeError('it listens on a port')

    const { app } = await createTestApp(t, {
      APP_CORS__ALLOWED_ORIGINS: `http://localhost:${address.port}`,
      APP_CORS__ALLOWED_HEADERS: 'X-App-Version',
    })
    const url = `http://127.0.0.1:${await listen(app)}/api/v1/auth/login`
    const page = await (await startChromium(t)).newPage()
    const call = async (headers: Record<string, string>) =>
      page.evaluate(
        async ({ url, headers }) => {
          try {
            const response = await fetch(url, { method: 'POST', headers, body: '{}' })
            return { status: response.status, id: response.headers.get('x-request-id') }
          } catch (error) {
            return { status: String(error), id: null }
          }
        },
        { url, headers },
      )

    await page.goto(`http://localhost:${address.port}/`)
    const answer = await call(HEADERS)
    t.equal(answer.status, 400, 'the empty body is refused, not the call')
    t.ok(answer.id, 'headers of the answer can be read')
    t.match(await call({ ...HEADERS, 'x-unheard-of': '1' }), { status: /Failed to fetch/ })

    await page.goto(`http://127.0.0.1:${address.port}/`)
    t.match(await call(HEADERS), { status: /Failed to fetch/ }, 'another origin may not')
  },
)
