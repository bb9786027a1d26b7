import { createServer, globalAgent, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openAnswer } from '#lib/object-store/open-answer.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'
import { stopTimers } from '#test/support/stop-timers.ts'

/** Turns the loop until something is so; with clocks that stand still, too. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}

/** A store that answers as the test says, and how many requests were made for it. */
async function store(t: Test, answer: RequestListener) {
  const url = await listenOn(t, createServer(answer))
  t.teardown(() => globalAgent.destroy())
  const signed: Request[] = []
  const sign = async () => {
    const request = new Request(url, { headers: { 'x-number': `${signed.length + 1}` } })
    signed.push(request)
    return request
  }
  return { open: () => openAnswer(sign), signed }
}

/** Our sides of connections that may be silent for five minutes. */
function connections(): Socket[] {
  const sockets = Object.values(globalAgent.sockets).flatMap((some) => some ?? [])
  return sockets.filter(({ destroyed, timeout }) => !destroyed && timeout === 300_000)
}

t.test('an answer that says not now is asked for again, five times at most', async (t) => {
  t.intercept(Math, 'random', { value: () => 0 })
  for (const [status, asked] of [
    [200, 1],
    [404, 1],
    [428, 1],
    [429, 6],
    [430, 1],
    [499, 1],
    [500, 6],
    [503, 6],
  ] as const) {
    const numbers: unknown[] = []
    const { open, signed } = await store(t, ({ headers }, response) => {
      numbers.push(headers['x-number'])
      response.writeHead(status).end('text')
    })
    const response = await open()
    t.equal(response.statusCode, status)
    t.strictSame(await response.toArray(), [Buffer.from('text')], 'the last one can be read')
    t.equal(signed.length, asked, `${status}`)
    t.strictSame(
      numbers,
      Array.from(signed, (_, index) => `${index + 1}`),
      'each is signed again',
    )
  }
  let left = 2
  const { open, signed } = await store(t, (_request, response) => {
    response.writeHead(left-- > 0 ? 503 : 206).end()
  })
  t.equal((await open()).statusCode, 206)
  t.equal(signed.length, 3)
})

t.test('the pauses between grow, and are random up to that', async (t) => {
  const pass = stopTimers(t)
  const { open, signed } = await store(t, (_request, response) => void response.writeHead(500).end())
  let pauses = 0
  t.intercept(Math, 'random', { value: () => ++pauses && 0.5 })
  const opened = open()
  for (const [index, milliseconds] of [25, 50, 100, 200, 400].entries()) {
    await until(() => pauses === index + 1)
    await pass(milliseconds - 1)
    t.equal(signed.length, index + 1)
    await pass(1)
    t.equal(signed.length, index + 2, `after ${milliseconds} ms`)
  }
  t.equal((await opened).statusCode, 500)
})

t.test('a connection that was closed while nobody used it is replaced, and another is not', async (t) => {
  const used = new Set<Socket>()
  const { open, signed } = await store(t, ({ socket }, response) => {
    if (used.has(socket)) socket.destroy()
    else response.end('fine')
    used.add(socket)
  })
  for (const count of [1, 3]) {
    const response = await open()
    t.strictSame(await response.toArray(), [Buffer.from('fine')])
    t.equal(signed.length, count)
    await turn()
  }
  const closing = await store(t, ({ socket }) => void socket.destroy())
  await t.rejects(closing.open(), { code: 'ECONNRESET' })
  t.equal(closing.signed.length, 1)
})

t.test('a store that stalls is given up, and a reader that does is not', async (t) => {
  const silent = await store(t, () => undefined)
  const unanswered = silent.open()
  await until(() => connections().length > 0)
  for (const socket of connections()) socket.emit('timeout')
  await t.rejects(unanswered, { message: 'no answer within 300 s' })

  const content = Buffer.alloc(3_000_000, 'x')
  const { open } = await store(t, (_request, response) => void response.writeHead(200).write(content))
  const response = await open()
  await until(() => response.readableLength >= response.readableHighWaterMark)
  for (const _time of ['once', 'and again']) response.socket.emit('timeout')
  let length = 0
  response.on('data', (piece: Buffer) => {
    length += piece.length
  })
  await until(() => length === content.length)
  t.equal(response.errored, null)
  const failed = new Promise((resolve) => response.on('error', resolve))
  response.socket.emit('timeout')
  t.match(await failed, { message: 'no byte of the answer for 300 s' })
})
