import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { addressCheck } from '#lib/outbound/addresses.ts'
import { OutboundError } from '#lib/outbound/outbound-error.ts'
import { type PostOptions, post } from '#lib/outbound/post.ts'
import { freePort } from '#test/support/free-port.ts'
import { LOCALHOST_CERTIFICATE, startRawReceiver, startReceiver } from '#test/support/http-receiver.ts'
import { open } from './open.ts'

const impatient: PostOptions = { ...open, timeoutMs: 300 }

const send = (url: string, options = open, signal = new AbortController().signal) =>
  post(
    { url, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"a":1}') },
    options,
    signal,
  )

const faultOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'none',
    (error: unknown) => (error instanceof OutboundError ? error.fault : String(error)),
  )

t.test('posts the bytes, and reads the answer', async (t) => {
  const receiver = await startReceiver(t)
  t.same(await send(`${receiver.url}?a=b%20c`), { status: 204, retryAfter: undefined, excerpt: null })
  receiver.answer((response) => response.writeHead(503, { 'retry-after': '7' }).end('busy\0'))
  t.same(await send(receiver.url), { status: 503, retryAfter: '7', excerpt: 'busy\uFFFD' })
  const [first] = receiver.received
  t.match(first, { method: 'POST', url: '/in?a=b%20c', body: '{"a":1}' })
  t.same(Object.keys(first?.headers ?? {}).sort(), [
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'host',
  ])
})

t.test('checks the certificate', async (t) => {
  const receiver = await startReceiver(t, { tls: true })
  const trusting = { ...open, ca: LOCALHOST_CERTIFICATE }
  t.equal((await send(receiver.url, trusting)).status, 204)
  t.equal(await faultOf(send(receiver.url)), 'tls_error', 'of an unknown authority')
  const other = receiver.url.replace('localhost', 'hooks.localhost')
  t.equal(await faultOf(send(other, trusting)), 'tls_error', 'of another name')
  const plain = await startReceiver(t)
  t.equal(await faultOf(send(plain.url.replace('http:', 'https:'), trusting)), 'tls_error', 'none at all')
  t.equal(receiver.received.length, 1)
})

t.test('sends nothing where any address is not of the internet', async (t) => {
  const receiver = await startReceiver(t)
  const resolve = (...addresses: string[]) => ({ resolve: async () => addresses })
  const url = `http://rebind.example.com:${receiver.port}/in`
  t.equal((await send(url, { ...open, ...resolve('127.0.0.1') })).status, 204, 'allowed by a setting')
  const closed = { ...open, isAllowedAddress: addressCheck() }
  for (const addresses of [
    ['127.0.0.1'],
    ['8.8.8.8', '127.0.0.1'],
    ['2606:4700::1', '::ffff:7f00:1'],
    ['junk'],
  ]) {
    t.equal(
      await faultOf(send(url, { ...closed, ...resolve(...addresses) })),
      'blocked_address',
      addresses.join(),
    )
  }
  let looked = 0
  const flips = async () => (looked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1'])
  t.equal((await send(url, { ...open, resolve: flips })).status, 204)
  t.equal(looked, 1, 'what was checked is what is connected to')
  t.equal(await faultOf(send(receiver.url, closed)), 'blocked_url', 'a literal is never looked up')
  t.equal(receiver.received.length, 2)
})

t.test('checks where a connection really leads, before it sends a byte', async (t) => {
  const receiver = await startReceiver(t)
  let asked = 0
  const options = { ...open, isAllowedAddress: () => asked++ === 0, resolve: async () => ['127.0.0.1'] }
  t.equal(await faultOf(send(`http://hooks.example.com:${receiver.port}/`, options)), 'blocked_address')
  t.equal(receiver.received.length, 0)
})

t.test('follows no redirect', async (t) => {
  const inside = await startReceiver(t)
  const receiver = await startReceiver(t)
  for (const status of [301, 302, 303, 307, 308]) {
    receiver.answer((response) => response.writeHead(status, { location: inside.url }).end())
    t.equal((await send(receiver.url)).status, status)
  }
  t.equal(inside.received.length, 0)
})

t.test('reads little of large, endless and compressed answers', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answer((response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(4096)));
    }
    response.on('drain', more)
    more()
  })
  t.same(await send(receiver.url), { status: 200, retryAfter: undefined, excerpt: 'x'.repeat(1024) })
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  receiver.answer((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
  t.same(await send(receiver.url), { status: 200, retryAfter: undefined, excerpt: null })
})

t.test('an answer counts once its head is there', async (t) => {
  const cut = await startRawReceiver(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'))
  })
  t.match(await send(cut), { status: 200, excerpt: 'half' })
  const reset = await startRawReceiver(t, (socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.resetAndDestroy()),
    )
  })
  t.match(await send(reset), { status: 200 })
  const stalls = await startRawReceiver(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nslow'))
  })
  t.match(await send(stalls), { status: 500, excerpt: 'slow' }, 'however long its body takes')
})

t.test('names what went wrong by a word', async (t) => {
  const raw = (talk: Parameters<typeof startRawReceiver>[1]) => startRawReceiver(t, talk)
  const faults: [what: string, url: string, fault: string, options?: PostOptions][] = [
    ['nothing listens', `http://127.0.0.1:${await freePort()}/`, 'connection_error'],
    [
      'resets',
      await raw((socket) => socket.once('data', () => socket.resetAndDestroy())),
      'connection_error',
    ],
    ['half-closes', await raw((socket) => socket.end()), 'connection_error'],
    ['speaks something else', await raw((socket) => socket.end('220 mail\r\n')), 'protocol_error'],
    [
      'endless head',
      await raw((socket) => socket.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}`)),
      'protocol_error',
    ],
    ['says nothing', await raw(() => undefined), 'timeout', impatient],
    ['only 1xx', await raw((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')), 'timeout', impatient],
    [
      'another protocol',
      await raw((socket) => socket.write('HTTP/1.1 101 Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')),
      'protocol_error',
    ],
    ['no TLS hello', (await raw(() => undefined)).replace('http:', 'https:'), 'timeout', impatient],
    [
      'no name server',
      'http://x.example.com/',
      'timeout',
      {
        ...impatient,
        resolve: (_host, signal) => once(signal, 'abort').then(() => Promise.reject(signal.reason)),
      },
    ],
    [
      'no address',
      'http://name.invalid/',
      'dns_error',
      { ...open, resolve: async () => Promise.reject(new OutboundError('dns_error')) },
    ],
  ]
  for (const [what, url, fault, options] of faults) t.equal(await faultOf(send(url, options)), fault, what)
})

t.test('is given up by its signal', async (t) => {
  const giveUp = new AbortController()
  const url = await startRawReceiver(t, () => giveUp.abort(new Error('enough')))
  t.equal(await faultOf(send(url, open, giveUp.signal)), 'Error: enough')
})

t.test('goes through a proxy, which looks the name up', async (t) => {
  const receiver = await startReceiver(t, { tls: true })
  const asked: [path: string | undefined, credentials: string | undefined][] = []
  const proxy = createServer()
  let refuses: string | undefined
  proxy.on('connect', (request, client) => {
    asked.push([request.url, request.headers['proxy-authorization']])
    if (refuses) return void client.end(`HTTP/1.1 ${refuses}\r\n\r\n`)
    const upstream = connect(receiver.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
  })
  const port = await freePort()
  await once(proxy.listen(port, '127.0.0.1'), 'listening')
  t.teardown(() => proxy.close())
  const options = {
    ...open,
    isAllowedAddress: addressCheck(['127.0.0.1/32']),
    proxyUrl: `http://user:pass%20word@127.0.0.1:${port}`,
    ca: LOCALHOST_CERTIFICATE,
  }
  t.equal((await send(receiver.url, options)).status, 204)
  t.same(asked, [[`localhost:${receiver.port}`, `Basic ${Buffer.from('user:pass word').toString('base64')}`]])
  t.equal(await faultOf(send('https://10.0.0.1/', options)), 'blocked_url', 'a literal never gets there')
  refuses = '407 Denied'
  t.equal(await faultOf(send(receiver.url, options)), 'blocked_address')
  refuses = '502 Bad Gateway'
  t.equal(await faultOf(send(receiver.url, options)), 'connection_error')
  t.equal(asked.length, 3)
})
