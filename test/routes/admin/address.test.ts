import t from 'tap'
import { isListenAddress, splitListenAddress } from '#config/engine/listen-address.ts'
import { createTestApp } from '#test/support/helper.ts'
import { isProblem, listen, respond } from '#test/support/raw-http.ts'

const send = (port: number, method: string, path: string) =>
  respond(port, `${method} ${path} HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`)

const get = (port: number, path: string) => send(port, 'GET', path)

t.test('the panel has a listener of its own', async (t) => {
  const { app, logs } = await createTestApp(t, { APP_ADMIN__ADDRESS: '127.0.0.1:0' })
  const inner = (await app.listenForAdmin()) ?? 0
  t.match(
    logs().filter(({ msg }) => msg === 'the admin panel has a listener of its own'),
    [{ port: inner }],
  )
  const outer = await listen(app)
  t.equal((await get(inner, '/admin/')).status, 200)
  isProblem(t, await get(inner, '/api/v1/users/me'), 401, 'unauthenticated')
  for (const path of ['/admin', '/admin/', '/admin/assets/0/main.ts'])
    isProblem(t, await get(outer, path), 404, 'route_not_found')
  for (const path of ['/admin', '/admin/', '/admin/session']) {
    for (const method of ['PATCH', 'OPTIONS', 'TRACE', 'GET', 'POST']) {
      const nothing = await send(outer, method, path)
      isProblem(t, nothing, 404, 'route_not_found')
      t.equal(nothing.headers['allow'], undefined, `${method} ${path}`)
    }
  }
  isProblem(t, await send(inner, 'PATCH', '/admin/'), 405, 'method_not_allowed')
  isProblem(t, await get(outer, '/api/v1/users/me'), 401, 'unauthenticated')
  isProblem(t, await respond(inner, 'nonsense\r\n\r\n'), 400, 'bad_request')

  const other = await createTestApp(t, { APP_ADMIN__ADDRESS: `127.0.0.1:${inner}` })
  await t.rejects(other.app.listenForAdmin(), { code: 'EADDRINUSE' }, 'a port that is taken is told at start')
  await app.close()
  await t.rejects(get(inner, '/admin/'), { code: 'ECONNREFUSED' }, 'it ends with the service')
})

t.test('without one it is where the API is', async (t) => {
  const { app } = await createTestApp(t)
  t.equal(await app.listenForAdmin(), undefined)
  t.equal((await get(await listen(app), '/admin/')).status, 200)
})

t.test('addresses', async (t) => {
  t.strictSame(splitListenAddress('127.0.0.1:9090'), { host: '127.0.0.1', port: 9090 })
  t.strictSame(splitListenAddress('[::1]:0'), { host: '::1', port: 0 })
  t.strictSame(splitListenAddress('admin.internal:80'), { host: 'admin.internal', port: 80 })
  for (const text of [
    '',
    '9090',
    ':9090',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:9090',
    'a b:1',
    'a:65536',
    'a:1:2',
  ])
    t.notOk(isListenAddress(text), text)
})
