import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Clamd } from '#lib/clamd/clamd.ts'

const END = Buffer.alloc(4)

/** A chunk with its length before it. */
function chunk(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

t.test('what is sent to clamd, and what its answers mean', async (t) => {
  let answer = ''
  let received = Buffer.alloc(0)
  const server = createServer((socket) => {
    received = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      if (received.toString() === 'zVERSION\0' || received.subarray(-4).equals(END)) socket.end(`${answer}\0`)
    })
  })
  // Not below the test's own folder: the path of a socket must be short.
  const folder = await mkdtemp(join(tmpdir(), 'clamd-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'a socket')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.teardown(() => server.close())
  const clamd = new Clamd(`unix://${path}`, 60_000)

  const large = Buffer.alloc(256 * 1024 + 3, 'x')
  async function* pieces() {
    yield Buffer.from('abc')
    yield large
  }
  for (const [said, verdict] of [
    ['stream: OK', { kind: 'clean' }],
    ['stream: A.Signature-1 FOUND', { kind: 'infected', signature: 'A.Signature-1' }],
    ['stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND', { kind: 'too_large' }],
    ['INSTREAM size limit exceeded. ERROR', { kind: 'too_large' }],
  ] as const) {
    answer = said
    t.strictSame(await clamd.scan(pieces()), verdict, said)
  }
  const whole = [Buffer.from('abc'), large.subarray(0, 256 * 1024), large.subarray(256 * 1024)]
  t.ok(received.equals(Buffer.concat([Buffer.from('zINSTREAM\0'), ...whole.map(chunk), END])), 'in chunks')
  for (const said of ['stream: OK FOUND OK', 'a stream: X FOUND', 'stream: X FOUND.']) {
    answer = said
    await t.rejects(clamd.scan(pieces()), { name: 'ClamdRefused', message: `clamd said: ${said}` })
  }
  answer = 'ClamAV 1.4.3/27000/Mon Nov 30 2026'
  t.equal(await clamd.version(), answer)
})

t.test(
  'an answer counts that comes before the end of what it is about, even of one that hangs up',
  async (t) => {
    const gone = Promise.withResolvers<void>()
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write('INSTREAM size limit exceeded. ERROR\0', () => {
          socket.resetAndDestroy()
          gone.resolve()
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
    async function* pieces() {
      yield Buffer.from('abc')
      // Goes on before anything that has come meanwhile is read.
      await gone.promise
      yield Buffer.from('def')
      yield Buffer.from('ghi')
    }
    const clamd = new Clamd(`tcp://127.0.0.1:${address.port}`, 60_000)
    t.strictSame(await clamd.scan(pieces()), { kind: 'too_large' })
  },
)
