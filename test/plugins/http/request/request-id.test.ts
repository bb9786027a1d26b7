import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { listen, respond } from '#test/support/raw-http.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

t.test('request ids', async (t) => {
  const { app, request, logs } = await createTestApp(t)
  const send = (id: string) => request({ url: '/nothing', headers: { 'x-request-id': id } })

  for (const id of ['a', 'A-b_c.9', '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90', 'x'.repeat(128)]) {
    t.test(`${id.slice(0, 40)} is kept`, async (t) => {
      const response = await send(id)
      t.equal(response.headers['x-request-id'], id)
      t.equal(response.json().request_id, id, 'the problem has it')
      t.equal(logs().at(-1)?.['request_id'], id, 'the log has it')
    })
  }

  for (const id of [
    '',
    'x'.repeat(129),
    'a b',
    'a\tb',
    'a"b',
    'a/b',
    '<script>',
    'a,b',
    'caf\u00e9',
    '$(id)',
    "a'b",
  ]) {
    t.test(`${JSON.stringify(id.slice(0, 40))} is replaced`, async (t) => {
      const response = await send(id)
      t.match(response.headers['x-request-id'], UUID)
      t.equal(response.json().request_id, response.headers['x-request-id'])
      t.equal(logs().at(-1)?.['request_id'], response.headers['x-request-id'])
    })
  }

  t.test('over the wire', async (t) => {
    const port = await listen(app)
    const close = 'Host: a\r\nConnection: close\r\n'
    const twice = await respond(
      port,
      `GET /live HTTP/1.1\r\n${close}x-request-id: a\r\nx-request-id: b\r\n\r\n`,
    )
    t.match(twice.headers['x-request-id'], UUID, 'two ids are not accepted')
    const split = await respond(port, `GET /live HTTP/1.1\r\n${close}x-request-id: a\rb\r\n\r\n`)
    t.equal(split.status, 400, 'a bare CR is not a header')
    const folded = await respond(port, `GET /live HTTP/1.1\r\n${close}x-request-id: a\r\n b: c\r\n\r\n`)
    t.equal(folded.status, 400, 'nor is a folded one')
    const own = await respond(port, `GET /%zz HTTP/1.1\r\n${close}x-request-id: mine\r\n\r\n`)
    t.equal(own.headers['x-request-id'], 'mine', 'also where no route was found')
  })

  t.test('each request without one gets its own', async (t) => {
    const ids = new Set<unknown>()
    for (let index = 0; index < 100; index++) ids.add((await app.inject('/live')).headers['x-request-id'])
    t.equal(ids.size, 100)
  })
})
