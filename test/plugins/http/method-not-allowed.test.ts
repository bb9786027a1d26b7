import { METHODS } from 'node:http'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { isProblem, listen, respond } from '#test/support/raw-http.ts'

/** Every URL with the methods it takes, besides OPTIONS. */
const URLS: Record<string, readonly string[]> = {
  '/api/v1/auth/login': ['POST'],
  '/api/v1/users': ['GET', 'HEAD', 'POST'],
  '/api/v1/users/me': ['GET', 'HEAD', 'PATCH', 'DELETE'],
  '/api/v1/users/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90': ['GET', 'HEAD', 'PATCH', 'DELETE'],
  '/live': ['GET', 'HEAD'],
  '/ready': ['GET', 'HEAD'],
  '/health': ['GET', 'HEAD'],
  '/metrics': ['GET', 'HEAD'],
  '/docs': ['GET', 'HEAD'],
  '/docs/json': ['GET', 'HEAD'],
  '/docs/yaml': ['GET', 'HEAD'],
}

t.test('wrong methods', async (t) => {
  const { app } = await createTestApp(t)
  const port = await listen(app)
  const send = (method: string, url: string, headers = '') =>
    respond(port, `${method} ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`)

  for (const [url, methods] of Object.entries(URLS)) {
    t.test(url, async (t) => {
      const allow = [...methods, 'OPTIONS'].sort()
      const allowed = (header = '') => header.split(', ').sort()
      // CONNECT is for proxies; Node closes the connection.
      for (const method of METHODS.filter((name) => name !== 'CONNECT' && name !== 'OPTIONS')) {
        if (methods.includes(method)) continue
        const response = await send(method, url)
        t.equal(response.status, 405, method)
        t.strictSame(allowed(response.headers['allow']), allow, `${method}: Allow`)
        if (method !== 'HEAD') isProblem(t, response, 405, 'method_not_allowed')
      }
      const options = await send('OPTIONS', url)
      t.equal(options.status, 204)
      t.strictSame(allowed(options.headers['allow']), allow)
      t.equal(options.body, '')
      t.ok(options.headers['x-request-id'])
      for (const method of methods) t.not((await send(method, url)).status, 405, `${method} is taken`)
    })
  }

  t.test('the method is looked at before body, type and token', async (t) => {
    const headers = 'Content-Type: text/plain\r\nContent-Length: 99999999\r\n'
    isProblem(t, await send('PUT', '/api/v1/users', headers), 405, 'method_not_allowed')
    isProblem(t, await send('PATCH', '/live', headers), 405, 'method_not_allowed')
  })

  t.test('an unknown URL is 404 whatever the method', async (t) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND', 'TRACE']) {
      isProblem(t, await send(method, '/nothing'), 404, 'route_not_found')
    }
    for (const url of ['/live/', '/LIVE', '//live', '/live;a=1', '/api', '/api/v1']) {
      isProblem(t, await send('GET', url), 404, 'route_not_found')
    }
  })

  t.test('HEAD is GET without its body', async (t) => {
    for (const url of ['/live', '/ready', '/metrics', '/docs/json']) {
      const head = await app.inject({ method: 'HEAD', url })
      const get = await app.inject({ method: 'GET', url })
      t.equal(head.statusCode, 200, url)
      t.equal(head.body, '')
      t.equal(head.headers['content-type'], get.headers['content-type'])
    }
  })
})
