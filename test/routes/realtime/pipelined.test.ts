import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createFullFile } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { realtimeUrl, tokenOf } from '#test/support/realtime.ts'
import { startS3 } from '#test/support/s3-server.ts'

const HANDSHAKE = [
  ...['GET /realtime HTTP/1.1', 'host: 127.0.0.1', 'upgrade: websocket', 'connection: Upgrade'],
  ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='],
]
/** Far more than a connection takes without being read. */
const SIZE = 16 * 1024 * 1024

t.test('a WebSocket that is asked for right behind other requests', async (t) => {
  const s3 = await startS3(t)
  const { app, signUp } = await createTestApp(t, {
    // What comes from there is passed on as it comes, so it waits until the client has read.
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__ENDPOINT: s3.endpoint,
    APP_FILES__S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
  })
  const url = await realtimeUrl(app)
  const user = await signUp()
  const get = (path: string, ...more: string[]) => [
    `GET ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `authorization: Bearer ${tokenOf(user)}`,
    ...more,
  ]

  /** Sends requests at once; returns what comes, as long as it does. */
  async function send(t: Test, ...requests: string[][]) {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    const ended = once(socket, 'close')
    socket.write(requests.map((lines) => [...lines, '', ''].join('\r\n')).join(''))
    return { socket, ended, text: () => Buffer.concat(chunks).toString('latin1') }
  }
  const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)

  await t.test('opens after their answers', async (t) => {
    for (const before of [[get('/api/v1/users/me')], [get('/health'), get('/api/v1/users/me'), get('/x')]]) {
      const { socket, text } = await send(t, ...before, HANDSHAKE)
      await eventually(async () => text().includes('101 Switching Protocols'))
      t.equal(statuses(text()).length, before.length + 1)
      t.ok(text().includes(user.user.email))
      // A frame that is empty, masked with zeros: the other side speaks WebSocket.
      socket.write(Buffer.from([0x81, 0x80, 0, 0, 0, 0]))
      await eventually(async () => text().includes('bad request'))
    }
  })

  await t.test('opens after an answer in many pieces', async (t) => {
    const file = await createFullFile(app, user, Buffer.alloc(SIZE, 'x'))
    const { text } = await send(t, get(`${file}/content`), HANDSHAKE)
    await eventually(async () => text().includes('101 Switching Protocols'))
    const [, rest = ''] = text().split('\r\n\r\n', 2)
    t.equal(rest.indexOf('HTTP/1.1 101'), SIZE, 'all of it, and then the handshake')
  })

  await t.test('does not when the connection ends with one of them', async (t) => {
    const { text, ended } = await send(t, get('/api/v1/users/me', 'connection: close'), HANDSHAKE)
    await ended
    t.same(statuses(text()), ['200'])
  })

  await t.test('is refused after them', async (t) => {
    const { text, ended } = await send(t, get('/api/v1/users/me'), [
      ...HANDSHAKE,
      'origin: https://elsewhere.example',
    ])
    await ended
    t.same(statuses(text()), ['200', '403'])
  })
})
