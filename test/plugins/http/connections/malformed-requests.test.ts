import { once } from 'node:events'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { exchange, isProblem, listen, open, respond, responsesIn } from '#test/support/raw-http.ts'

t.test('what is not proper HTTP', async (t) => {
  const { app, logs } = await createTestApp(t)
  const port = await listen(app)
  const host = 'Host: 127.0.0.1\r\n'
  const close = `${host}Connection: close\r\n\r\n`
  const json = 'Content-Type: application/json\r\n'

  const cases: [name: string, request: string | Buffer, status: number, code: string][] = [
    ['garbage', 'hello\r\n\r\n', 400, 'bad_request'],
    ['bytes', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xff, 0x0d, 0x0a, 0x0d, 0x0a]), 400, 'bad_request'],
    ['an unknown method', `FROB /live HTTP/1.1\r\n${close}`, 400, 'bad_request'],
    ['an unknown version', `GET /live HTTP/9.9\r\n${close}`, 400, 'bad_request'],
    ['HTTP/0.9', 'GET /live\r\n\r\n', 400, 'bad_request'],
    ['two hosts', `GET /live HTTP/1.1\r\n${host}${close}`, 400, 'bad_request'],
    ['a host with a path', 'GET /live HTTP/1.0\r\nHost: a/b\r\n\r\n', 400, 'bad_request'],
    ['no host', 'GET /live HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
    ['a space in a header name', `GET /live HTTP/1.1\r\nx y: 1\r\n${close}`, 400, 'bad_request'],
    ['NUL in a header', `GET /live HTTP/1.1\r\nx: a\0b\r\n${close}`, 400, 'bad_request'],
    ['NUL in the URL', `GET /live\0 HTTP/1.1\r\n${close}`, 400, 'bad_request'],
    [
      'two lengths',
      `POST /api/v1/users HTTP/1.1\r\n${json}Content-Length: 2\r\nContent-Length: 3\r\n${close}{}`,
      400,
      'bad_request',
    ],
    [
      'length and chunks',
      `POST /api/v1/users HTTP/1.1\r\n${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n${close}0\r\n\r\n`,
      400,
      'bad_request',
    ],
    [
      'a length that is not a number',
      `POST /api/v1/users HTTP/1.1\r\n${json}Content-Length: two\r\n${close}{}`,
      400,
      'bad_request',
    ],
    [
      'a broken chunk',
      `POST /api/v1/users HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n${close}xyz\r\n`,
      400,
      'bad_request',
    ],
    [
      '20 KB of headers',
      `GET /live HTTP/1.1\r\nx: ${'a'.repeat(20_480)}\r\n${close}`,
      431,
      'headers_too_large',
    ],
    ['a URL of 20 KB', `GET /live?${'a'.repeat(20_480)} HTTP/1.1\r\n${close}`, 431, 'headers_too_large'],
    ['a broken escape in the path', `GET /api/v1/users/%zz HTTP/1.1\r\n${close}`, 400, 'bad_request'],
    [
      'bytes that are not UTF-8 in the path',
      `GET /api/v1/users/%ff%fe HTTP/1.1\r\n${close}`,
      400,
      'bad_request',
    ],
    ['a surrogate in the path', `GET /api/v1/users/%ed%a0%80 HTTP/1.1\r\n${close}`, 400, 'bad_request'],
    [
      'a path parameter of 1000 characters',
      `GET /api/v1/users/${'a'.repeat(1000)} HTTP/1.1\r\n${close}`,
      400,
      'bad_request',
    ],
    ['NUL in the path', `GET /api/v1/users/a%00b HTTP/1.1\r\n${close}`, 400, 'invalid_text'],
    ['NUL in the query', `GET /live?a=%00 HTTP/1.1\r\n${close}`, 400, 'invalid_text'],
    ['no such URL', `GET /nothing HTTP/1.1\r\n${close}`, 404, 'route_not_found'],
    ['a very long URL', `GET /${'a'.repeat(10_000)} HTTP/1.1\r\n${close}`, 404, 'route_not_found'],
    ['a file', `GET /../package.json HTTP/1.1\r\n${close}`, 404, 'route_not_found'],
    [
      'a file of the docs',
      `GET /docs/static/..%2f..%2f..%2fpackage.json HTTP/1.1\r\n${close}`,
      404,
      'route_not_found',
    ],
  ]
  for (const [name, request, status, code] of cases) {
    t.test(name, async (t) => {
      const response = await respond(port, request)
      isProblem(t, response, status, code)
      const { request_id } = JSON.parse(response.body)
      const lines = logs().filter((line) => line['request_id'] === request_id)
      t.match(lines, [{ level: 'info', status, operation: String, remote_address: '127.0.0.1' }])
      t.equal(lines.length, 1, 'one line in the log')
    })
  }

  t.test('a query that no route reads is not looked at', async (t) => {
    t.equal((await respond(port, `GET /live?a=%zz%ff HTTP/1.1\r\n${close}`)).status, 200)
  })

  t.test('HTTP/1.0 is served, with and without a host', async (t) => {
    t.equal((await respond(port, 'GET /live HTTP/1.0\r\n\r\n')).status, 200)
    t.equal((await respond(port, `GET /live HTTP/1.0\r\n${host}\r\n`)).status, 200)
  })

  t.test('pipelined requests are answered in their order', async (t) => {
    const next = `${host}\r\n`
    const received = await exchange(
      port,
      `GET /ready HTTP/1.1\r\n${next}GET /nothing HTTP/1.1\r\n${next}GET /live HTTP/1.1\r\n${close}`,
    )
    t.strictSame(
      responsesIn(received).map(({ status }) => status),
      [200, 404, 200],
    )
  })

  t.test('a broken request is answered after those before it', async (t) => {
    const first = `GET /ready HTTP/1.1\r\n${host}\r\n`
    const [ready, refused, ...more] = responsesIn(await exchange(port, `${first}garbage\r\n\r\n`))
    t.equal(ready?.status, 200)
    t.equal(refused?.status, 400)
    t.strictSame(more, [])
  })

  t.test('an expectation that we do not know is ignored', async (t) => {
    isProblem(
      t,
      await respond(port, `GET /nothing HTTP/1.1\r\nExpect: more\r\n${close}`),
      404,
      'route_not_found',
    )
  })

  t.test('a client that asks before it sends may', async (t) => {
    const head = `POST /api/v1/auth/login HTTP/1.1\r\n${json}Content-Length: 2\r\nExpect: 100-continue\r\n${close}`
    const [first, second] = responsesIn(await exchange(port, head, '{}'))
    t.equal(first?.status, 100)
    t.equal(second?.status, 400)
  })

  t.test('the process has survived all that', async (t) => {
    t.equal((await respond(port, `GET /health HTTP/1.1\r\n${close}`)).status, 200)
    t.strictSame(
      logs().filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    )
  })
})

t.test('errors of sockets', async (t) => {
  const { app } = await createTestApp(t)
  const port = await listen(app)
  for (const code of ['ECONNRESET', undefined]) {
    const accepted = once(app.server, 'connection')
    const client = open(t, port)
    let received = ''
    client.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    const [socket] = await accepted
    app.server.emit('clientError', Object.assign(new Error('of the socket'), { code }), socket)
    await once(client, 'close')
    if (code === undefined)
      t.match(received, /^HTTP\/1\.1 400 .*bad_request/s, 'an unknown one is a bad request')
    else t.equal(received, '', 'a client that is gone gets no answer')
  }
})

t.test('slow clients', async (t) => {
  const { app } = await createTestApp(t, {
    APP_SERVER__HEADERS_TIMEOUT: '200ms',
    APP_SERVER__REQUEST_TIMEOUT: '400ms',
  })
  const port = await listen(app)

  await t.test('headers that never end', async (t) => {
    isProblem(t, await respond(port, 'GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nx: '), 408, 'request_timeout')
  })

  await t.test('a body that never ends', async (t) => {
    const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
    const response = await respond(port, `${head}Content-Length: 100\r\n\r\n{"email":`)
    isProblem(t, response, 408, 'request_timeout')
  })
})

t.test('an answer under way is not mixed with another', async (t) => {
  const { app } = await createTestApp(t, { APP_SERVER__STALL_TIMEOUT: '2s' }, async (instance) => {
    instance.get('/endless', { schema: { hide: true } }, (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/plain' })
      reply.raw.write('begun')
    })
  })
  const port = await listen(app)
  const socket = open(t, port)
  socket.setEncoding('utf8')
  let received = ''
  socket.on('data', (chunk: string) => {
    received += chunk
    if (chunk.includes('begun')) socket.write('garbage\r\n\r\n')
  })
  socket.write('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'close')
  t.match(received, /begun/)
  t.notMatch(received, /problem/)
})
