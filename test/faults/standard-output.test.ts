import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { metric } from './metrics.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(300_000)

const CRASH = { nodeArgs: ['--import', join(import.meta.dirname, '../fixtures/crash.ts')] }

/** Bytes of an unread log that a pipe, the service and its allocator may hold, with a margin. */
const MEMORY_BOUND = 256e6

/** As long as the log shows it, so that each request fills much of it. */
const PATH = `/${'x'.repeat(199)}`

async function run(t: Test): Promise<TestService> {
  const db = await createTestDatabase(t)
  return startService(t, { APP_DATABASE__URL: db.url, APP_METRICS__PUBLIC: 'true' }, CRASH)
}

/** Sends requests in one go over one connection, and returns how many 404 came back. */
function sendMany(url: string, requests: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const one = `GET ${PATH} HTTP/1.1\r\nHost: a\r\n\r\n`
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answers = ''
  const count = () => answers.match(/HTTP\/1\.1 404/g)?.length ?? 0
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answers += chunk
    if (count() === requests) socket.end()
  })
  socket.on('error', reject)
  socket.on('close', () => resolve(count()))
  socket.write(one.repeat(requests))
  return promise
}

const dropped = (url: string) => metric(url, 'log_lines_dropped_total')
const memory = (url: string) => metric(url, 'process_resident_memory_bytes')

async function sendUntilDropped(t: Test, url: string): Promise<void> {
  let sent = 0
  let answered = 0
  await eventually(async () => {
    for (const count of await Promise.all([100, 100, 100, 100].map((n) => sendMany(url, n))))
      answered += count
    sent += 400
    return (await dropped(url)) > 0
  })
  t.equal(answered, sent, `all of ${sent} requests were answered`)
}

t.test('blocked: requests go on, lines are dropped and counted, memory is bounded', async (t) => {
  const service = await run(t)
  await sendMany(service.url, 400)
  const before = await memory(service.url)
  service.child.stdout?.pause()
  await sendUntilDropped(t, service.url)
  await sendMany(service.url, 400)
  t.match(await call(`${service.url}/live`), { status: 200 })
  const grown = (await memory(service.url)) - before
  t.ok(grown < MEMORY_BOUND, `memory grew by ${Math.round(grown / 1e6)} MB`)

  await t.test('and read again: whole lines, and none is lost any more', async (t) => {
    service.child.stdout?.resume()
    await eventually(async () => {
      const lost = await dropped(service.url)
      await sendMany(service.url, 100)
      return (await dropped(service.url)) === lost
    })
    const id = 'the-last-of-all'
    await call(`${service.url}/nothing`, { headers: { 'x-request-id': id } })
    await eventually(async () => service.stdout().includes(id))
    t.ok(service.logs().length > 1000, 'each line is JSON')
  })
})

t.test('blocked at the end: it ends all the same', async (t) => {
  for (const [signal, code] of [
    ['SIGTERM', 0],
    ['SIGUSR2', 1],
  ] as const) {
    const service = await run(t)
    service.child.stdout?.pause()
    await sendUntilDropped(t, service.url)
    service.child.kill(signal)
    await new Promise((resolve) => service.child.once('exit', resolve))
    t.equal(service.child.exitCode, code, signal)
    service.child.stdout?.resume()
    await service.exited
  }
})

t.test('closed: requests go on, and it ends in order', async (t) => {
  const service = await run(t)
  service.child.stdout?.destroy()
  service.child.stderr?.destroy()
  t.equal(await sendMany(service.url, 100), 100)
  await eventually(async () => (await dropped(service.url)) >= 100)
  t.match(await call(`${service.url}/ready`), { status: 200 })
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('nothing is lost at the end, whatever ends it', async (t) => {
  for (const [signal, code, level, last] of [
    ['SIGTERM', 0, 'info', 'shut down'],
    ['SIGUSR2', 1, 'info', 'shut down'],
  ] as const) {
    const service = await run(t)
    t.equal(await sendMany(service.url, 300), 300)
    service.child.kill(signal)
    t.same(await service.exited, { code, signal: null })
    const logs = service.logs()
    t.equal(logs.filter(({ path }) => path === PATH).length, 300, `every request has its line: ${signal}`)
    t.match(logs.at(-1), { level, msg: last })
    t.equal(logs.filter((line) => line['level'] === 'fatal').length, code)
  }
})
