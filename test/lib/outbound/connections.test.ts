import { getEventListeners, once } from 'node:events'
import { createServer } from 'node:http'
import { isIPv6, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { OutboundError } from '#lib/outbound/outbound-error.ts'
import { post } from '#lib/outbound/post.ts'
import { resolveHost } from '#lib/outbound/resolve.ts'
import { LOCALHOST_CERTIFICATE, startRawReceiver, startReceiver } from '#test/support/http-receiver.ts'
import { open } from './open.ts'

const send = (url: string, options = open, signal = new AbortController().signal) =>
  post({ url, headers: {}, body: Buffer.from('{}') }, options, signal)

const faultOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'none',
    (error: unknown) => (error instanceof OutboundError ? error.fault : String(error)),
  )

/** More than the buffers of a connection hold, and much less than an endless answer sends in the time that it has. */
const MANY_BYTES = 256 * 1024 * 1024

t.test('a message names its host, to TLS too, and leaves nothing behind', async (t) => {
  const receiver = await startReceiver(t, { tls: true })
  const seen: unknown[] = []
  const closed: Promise<unknown>[] = []
  receiver.answer((response, { headers }) => {
    const { socket } = response
    if (!(socket instanceof TLSSocket)) throw new TypeError('it comes by TLS')
    seen.push(headers.host, Object(socket).servername, socket.alpnProtocol)
    closed.push(once(socket, 'close'))
    response.writeHead(204).end()
  })
  const { signal } = new AbortController()
  await send(receiver.url, { ...open, ca: LOCALHOST_CERTIFICATE }, signal)
  t.same(seen, [`localhost:${receiver.port}`, 'localhost', 'http/1.1'])
  await Promise.all(closed)
  t.same(getEventListeners(signal, 'abort'), [])
})

t.test('nothing is sent once it is given up', async (t) => {
  const receiver = await startReceiver(t)
  const signal = AbortSignal.abort(new Error('enough'))
  t.equal(await faultOf(send(receiver.url, open, signal)), 'Error: enough')
  const given = new AbortController()
  const resolve = async () => {
    given.abort(new Error('enough'))
    return ['127.0.0.1']
  }
  const url = `http://hooks.example.com:${receiver.port}/`
  t.equal(await faultOf(send(url, { ...open, resolve }, given.signal)), 'Error: enough')
  t.equal(receiver.received.length, 0)
})

t.test('a connection that leads elsewhere is closed', async (t) => {
  let socket: Socket | undefined
  const url = await startRawReceiver(t, (connected) => {
    socket = connected
  })
  let asked = 0
  const options = { ...open, isAllowedAddress: () => asked++ === 0, resolve: async () => ['127.0.0.1'] }
  const { port } = new URL(url)
  t.equal(await faultOf(send(`http://hooks.example.com:${port}/`, options)), 'blocked_address')
  if (socket && !socket.destroyed) await once(socket.resume(), 'close')
  t.ok(socket?.destroyed)
})

t.test('answers in pieces, and those that say that nothing is packed', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answer(async (response) => {
    response.writeHead(200, { 'content-encoding': 'identity' })
    for (const letter of ['a', 'b', 'c']) {
      response.write(letter.repeat(600))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    response.end()
  })
  t.equal((await send(receiver.url)).excerpt, 'a'.repeat(600) + 'b'.repeat(424))
})

t.test('an endless answer is cut off when enough of it is there', async (t) => {
  const receiver = await startReceiver(t)
  let written = 0
  const cut = new Promise<void>((resolve) => {
    receiver.answer((response) => {
      const { socket } = response
      socket?.once('close', () => {
        written = socket.bytesWritten
        resolve()
      })
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.writeHead(200).on('drain', more)
      more()
    })
  })
  await send(receiver.url)
  await cut
  t.ok(written < MANY_BYTES, `${written} bytes`)
})

/** A proxy that answers each request for a tunnel so. */
async function startProxy(t: Test, answer: (socket: NodeJS.WritableStream) => void, host = '127.0.0.1') {
  const credentials: unknown[] = []
  const server = createServer()
  server.on('connect', ({ headers }, client) => {
    credentials.push(headers['proxy-authorization'])
    client.on('error', () => undefined)
    answer(client)
  })
  await once(server.listen(0, host), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const name = isIPv6(host) ? `[${host}]` : host
  return { options: { ...open, proxyUrl: `http://${name}:${port}` }, credentials }
}

t.test('proxies that open no tunnel', async (t) => {
  const url = 'https://hooks.example.com/'
  for (const [answer, fault] of [
    ['403 Forbidden', 'blocked_address'],
    ['407 Proxy Authentication Required', 'blocked_address'],
    ['404 Not Found', 'connection_error'],
    ['408 Request Timeout', 'connection_error'],
    ['201 Created', 'connection_error'],
    ['302 Found', 'connection_error'],
  ] as const) {
    const { options, credentials } = await startProxy(t, (client) =>
      client.end(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`),
    )
    t.equal(await faultOf(send(url, options)), fault, answer)
    t.same(credentials, [undefined], 'there are none to send')
  }
  const byAddress = await startProxy(t, (client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n'), '::1')
  t.equal(await faultOf(send(url, byAddress.options)), 'blocked_address', 'it is reached by IPv6')
  const early = await startProxy(
    t,
    (client) => void client.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 Mine\r\n\r\n'),
  )
  t.equal(await faultOf(send(url, early.options)), 'connection_error', 'bytes that the host cannot have sent')
  const silent = await startProxy(t, () => undefined)
  t.equal(await faultOf(send(url, { ...silent.options, timeoutMs: 300 })), 'timeout')
})

t.test('hosts that no name server is asked for', async (t) => {
  const { signal } = new AbortController()
  for (const address of ['192.0.2.1', '::1', '2001:db8::1'])
    t.same(await resolveHost(address, signal), [address])
  for (const host of ['localhost', 'hooks.localhost'])
    t.same(await resolveHost(host, signal), ['127.0.0.1', '::1'])
  const given = AbortSignal.abort(new Error('enough'))
  await t.rejects(resolveHost('hooks.example.com', given), { message: 'enough' })
  t.same(getEventListeners(signal, 'abort'), [])
})
