import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { listen, open } from '#test/support/raw-http.ts'

const HEAD = 'HTTP/1.1\r\nHost: 127.0.0.1\r\n'
const ASK = `GET /live ${HEAD}\r\n`

/** A listening application with an answer that waits until it is told to come, and one that nobody could read at once. */
async function start(t: Test, env: Record<string, string> = {}) {
  const { promise: told, resolve: answer } = Promise.withResolvers<void>()
  const { app } = await createTestApp(t, env, async (instance) => {
    const options = { schema: { hide: true } }
    instance.get('/waits', options, async () => {
      await told
      return 'it came'
    })
    instance.get('/large', options, async () => Buffer.alloc(64 * 1024 * 1024))
  })
  const ours: Socket[] = []
  app.server.on('connection', (socket: Socket) => ours.push(socket))
  const port = await listen(app)
  /** A client that has sent this, and all that it got; our side of its connection is the last. */
  const send = async (text: string) => {
    const known = ours.length
    const socket = open(t, port)
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk
    })
    socket.write(text)
    await eventually(async () => ours.length > known)
    return { socket, received: () => received, closed: once(socket, 'close') }
  }
  const isUnderWay = (count: number) =>
    eventually(async () => [...app.connections.values()].filter(Boolean).length === count)
  return { app, port, ours, answer, send, isUnderWay }
}

t.test('who drains asks each client to go, and says so to who listens', async (t) => {
  const { app, answer, send, isUnderWay } = await start(t)
  const heard: string[] = []
  app.onDrain(() => heard.push('drain'))
  app.onRetire(() => heard.push('retire'))
  t.match([app.isDraining(), app.keepsConnections()], [false, true])
  const idle = await send(ASK)
  await eventually(async () => idle.received().includes('alive'))
  t.notMatch(idle.received(), /connection: close/i)
  const waiting = await send(`GET /waits ${HEAD}\r\n`)
  await isUnderWay(1)
  app.drain()
  t.strictSame(heard, ['drain'])
  t.match([app.isDraining(), app.keepsConnections()], [true, false])
  answer()
  await waiting.closed
  t.match(waiting.received(), /^HTTP\/1\.1 200 .*connection: close.*it came/is)
  idle.socket.write(`GET /ready ${HEAD}\r\n`)
  await idle.closed
  t.match(idle.received(), /200 OK.*HTTP\/1\.1 503 .*connection: close.*not_ready/is)
})

t.test('who retires listens no more, and stays ready for those who are connected', async (t) => {
  const { app, port, answer, send, isUnderWay } = await start(t)
  const heard: (number | string)[] = []
  app.onDrain(() => heard.push('drain'))
  app.onRetire((withinMs) => heard.push(withinMs))
  const idle = await send(ASK)
  await eventually(async () => idle.received().includes('alive'))
  const waiting = await send(`GET /waits ${HEAD}\r\n`)
  await isUnderWay(1)
  app.retire(1234)
  t.strictSame(heard, [1234])
  t.match([app.isDraining(), app.keepsConnections()], [false, false])
  const late = connect(port, '127.0.0.1')
  t.match(await once(late, 'error'), [{ code: 'ECONNREFUSED' }])
  answer()
  await waiting.closed
  t.match(waiting.received(), /connection: close.*it came/is)
  idle.socket.write(`GET /ready ${HEAD}\r\n`)
  await idle.closed
  t.match(idle.received(), /HTTP\/1\.1 200 OK.*HTTP\/1\.1 200 OK.*connection: close.*"ready"/is)
})

t.test('the end waits for answers, and for nobody who sends nothing or half a request', async (t) => {
  const { app, answer, send, isUnderWay } = await start(t)
  const silent = await send('')
  const half = await send('GET /live HTTP/1.1\r\nHost: ')
  const idle = await send(ASK)
  await eventually(async () => idle.received().includes('alive'))
  const waiting = await send(`GET /waits ${HEAD}\r\n`)
  await isUnderWay(1)
  const end = app.close()
  await Promise.all([silent.closed, half.closed, idle.closed])
  t.notOk(waiting.socket.closed)
  t.ok(app.isDraining())
  answer()
  await Promise.all([end, waiting.closed])
  t.match(waiting.received(), /^HTTP\/1\.1 200 .*connection: close.*it came/is)
})

t.test('an end after retiring does not drain', async (t) => {
  const { app } = await start(t)
  app.retire(1)
  await app.close()
  t.notOk(app.isDraining())
})

t.test('the end leaves a body its time, and who does not read the answer five seconds', async (t) => {
  const { app, ours, send, isUnderWay } = await start(t, { APP_SERVER__REQUEST_TIMEOUT: '20s' })
  const now = performance.now()
  const large = await send(`GET /large ${HEAD}\r\n`)
  large.socket.pause()
  await eventually(async () => [...app.connections.values()][0]?.response.writableEnded === true)
  const body = await send(`POST /live ${HEAD}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`)
  await isUnderWay(2)
  const [ofLarge, ofBody] = ours
  // As if its time was over.
  t.intercept(performance, 'now', { value: () => now + 60_000 })
  const end = app.close()
  await body.closed
  t.ok(ofBody?.destroyed)
  t.equal(ofLarge?.timeout, 5000)
  ofLarge?.destroy()
  await end
})
