import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Clamd } from '#lib/clamd/clamd.ts'
import { CLAMD_MAX_BYTES, MALWARE, startClamd, WITHOUT_CLAMD } from '#test/support/clamd.ts'

async function* pieces(...texts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** Starts a server that does something else to each connection than clamd would; it ends with `t`. */
async function startOther(t: Test, handle: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `tcp://127.0.0.1:${Object(server.address()).port}`
}

t.test('clamd says what it found', { skip: WITHOUT_CLAMD }, async (t) => {
  const { address, socket, pause, resume, kill } = await startClamd(t, {
    settings: 'AlertExceedsMax yes\nMaxFileSize 512K',
  })
  for (const place of [address, socket]) {
    const clamd = new Clamd(place, 60_000)
    t.match(await clamd.version(), /^ClamAV \d/)
    t.same(await clamd.scan(pieces('nothing ', 'bad')), { kind: 'clean' })
    t.same(await clamd.scan(pieces()), { kind: 'clean' }, 'an empty content')
    const infected = { kind: 'infected', signature: 'Test.Pattern.UNOFFICIAL' }
    t.same(await clamd.scan(pieces(MALWARE)), infected)
    t.same(await clamd.scan(pieces(...MALWARE)), infected, 'in pieces of one byte')
    const many = Array.from({ length: 7 }, () => Buffer.alloc(60_000, 'x'))
    t.same(await clamd.scan(pieces(...many, MALWARE)), infected, 'in more than one chunk')
  }
  const clamd = new Clamd(address, 60_000)
  const partly = Buffer.alloc(CLAMD_MAX_BYTES - 1)
  t.same(await clamd.scan(pieces(partly)), { kind: 'too_large' }, 'it looked at a part only')
  const failure = new Error('the source failed')
  async function* failing() {
    yield Buffer.from('x')
    throw failure
  }
  await t.rejects(clamd.scan(failing()), failure)
  const gone = AbortSignal.abort(new Error('the process ends'))
  await t.rejects(clamd.scan(pieces('x'), gone), { message: 'the process ends' })
  t.same(await clamd.scan(pieces('x')), { kind: 'clean' }, 'it has a connection for each')

  pause()
  const hung = new Clamd(address, 300)
  await t.rejects(hung.scan(pieces('x')), {
    name: 'ClamdUnavailable',
    message: /nothing happened for 300 ms/,
  })
  const controller = new AbortController()
  const scan = clamd.scan(pieces('x'), controller.signal)
  controller.abort(new Error('it takes too long'))
  await t.rejects(scan, { message: 'it takes too long' })
  resume()
  await kill()
  await t.rejects(clamd.version(), { name: 'ClamdUnavailable', message: /ECONNREFUSED/ })
})

t.test('more than clamd takes is too large', { skip: WITHOUT_CLAMD }, async (t) => {
  const { address } = await startClamd(t)
  const clamd = new Clamd(address, 60_000)
  let sent = 0
  async function* endless() {
    for (; sent < 1000; sent++) {
      yield Buffer.alloc(256 * 1024)
      // A store takes its time, too.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  t.same(await clamd.scan(endless()), { kind: 'too_large' })
  t.ok(sent < 1000, 'the rest is not sent')
})

t.test('what is not clamd, or not well', async (t) => {
  const silent = await startOther(t, (socket) => socket.resume())
  await t.rejects(new Clamd(silent, 100).scan(pieces('x')), { name: 'ClamdUnavailable' })
  const closing = await startOther(t, (socket) => socket.destroy())
  await t.rejects(new Clamd(closing, 5000).scan(pieces('x')), { name: 'ClamdUnavailable' })
  const cut = await startOther(t, (socket) => socket.end('stream: O'))
  await t.rejects(new Clamd(cut, 5000).scan(pieces('x')), { name: 'ClamdUnavailable' })
  for (const answer of [
    "Can't allocate memory ERROR\0",
    'UNKNOWN COMMAND\0',
    '\0',
    'HTTP/1.1 400 Bad Request\r\n\0',
  ]) {
    const other = await startOther(t, (socket) => socket.once('data', () => socket.end(answer)))
    await t.rejects(new Clamd(other, 5000).scan(pieces('x')), { name: 'ClamdRefused' }, answer)
  }
  const talking = await startOther(t, (socket) => {
    const timer = setInterval(() => socket.write('x'.repeat(10_000)), 1)
    socket.on('close', () => clearInterval(timer))
  })
  const signal = AbortSignal.timeout(200)
  await t.rejects(new Clamd(talking, 5000).scan(pieces('x'), signal), { name: 'TimeoutError' })
  t.same(
    await new Clamd(
      await startOther(t, (socket) => socket.end(`stream: ${'A'.repeat(300)} FOUND\0`)),
      5000,
    ).scan(pieces('x')),
    {
      kind: 'infected',
      signature: 'A'.repeat(300),
    },
  )
})
