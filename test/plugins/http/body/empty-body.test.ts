import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { isProblem, listen, respond } from '#test/support/raw-http.ts'

t.test('an operation without a body takes every way of sending an empty one', async (t) => {
  const test = await createTestApp(t)
  const port = await listen(test.app)
  const types = [
    'application/json',
    'text/plain',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ]
  const bodies = [
    ['Content-Length: 0', ''],
    ['Content-Length: 00', ''],
    ['Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['Transfer-Encoding: chunked', '0\r\nX-Trailer: 1\r\n\r\n'],
  ] as const
  for (const type of [undefined, ...types, '', 'nonsense', 'multipart/form-data; boundary=x']) {
    for (const [framing, body] of bodies) {
      const { headers } = await test.signUp()
      const lines = [
        'POST /api/v1/auth/logout HTTP/1.1',
        'Host: a',
        'Connection: close',
        `Authorization: ${headers.authorization}`,
        framing,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ]
      const answer = await respond(port, `${lines.join('\r\n')}\r\n\r\n${body}`)
      t.match(answer, { status: 204 }, `${type} ${framing}`)
    }
  }

  t.test('JSON is read and not used; another body is refused', async (t) => {
    const { headers } = await test.signUp()
    const send = (type: string, body: string, framing = `Content-Length: ${body.length}`) =>
      respond(
        port,
        `DELETE /api/v1/auth/sessions/${crypto.randomUUID()} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${headers.authorization}\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n${body}`,
      )
    isProblem(t, await send('application/json', '{}'), 404, 'session_not_found')
    isProblem(
      t,
      await send('application/json', '2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
      404,
      'session_not_found',
    )
    isProblem(t, await send('application/json', '{'), 400, 'invalid_json')
    isProblem(t, await send('text/plain', 'x'), 415, 'unsupported_media_type')
    isProblem(
      t,
      await send('text/plain', '1\r\nx\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
      415,
      'unsupported_media_type',
    )
  })
})
