import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { connectRaw, drip, many, type RawClient } from './clients.ts'
import { metric } from './metrics.ts'

// Many connections, on a machine that may be busy.
t.setTimeout(300_000)

/** Bytes by which memory may grow, whatever clients do. */
const MEMORY_BOUND = 256e6

async function run(t: Test, env: Record<string, string> = {}): Promise<TestService> {
  const db = await createTestDatabase(t)
  return startService(t, { APP_DATABASE__URL: db.url, APP_METRICS__PUBLIC: 'true', ...env })
}

const descriptors = (url: string) => metric(url, 'process_open_fds')
const memory = (url: string) => metric(url, 'process_resident_memory_bytes')

/** Connections that the service has taken from the system. Its open files would count those to the database too. */
async function accepted({ url }: TestService): Promise<number> {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n')
  return rows.filter((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/ +/)
    // Established, and somebody's.
    return local?.endsWith(`:${port}`) && state === '01' && inode !== '0'
  }).length
}

/** Clients that ask for more than the system buffers, and read nothing. */
function deafClients(t: Test, { url }: TestService): RawClient[] {
  const clients = many(20, () => connectRaw(t, url))
  for (const { socket } of clients) {
    socket.pause()
    socket.write('GET /docs/json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50))
  }
  return clients
}

/** Checks again and again, until told to stop, that a well-behaved client is served. */
async function startNeighbour({ url }: TestService): Promise<() => Promise<number[]>> {
  const { token } = await signUpRemote(url)
  const statuses: number[] = []
  let going = true
  const running = (async () => {
    while (going) statuses.push((await call(`${url}/api/v1/users/me`, { token })).status)
  })()
  return async () => {
    going = false
    await running
    return statuses
  }
}

function servedAll(t: Test, statuses: number[]): void {
  t.ok(statuses.length > 0)
  t.same([...new Set(statuses)], [200], `${statuses.length} requests of others were served meanwhile`)
}

t.test('hundreds of slow headers and slow bodies: 408 within the bound, and others are served', async (t) => {
  const service = await run(t, { APP_SERVER__HEADERS_TIMEOUT: '2s', APP_SERVER__REQUEST_TIMEOUT: '4s' })
  const stop = await startNeighbour(service)
  const before = await descriptors(service.url)
  const line = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\n'
  const body = `${line}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`
  // Some do not even go when they are told to.
  const clients = many(400, (n) => connectRaw(t, service.url, { deaf: n % 10 === 0 }))
  for (const [n, client] of clients.entries()) drip(client, n % 2 === 0 ? `${line}x-slow: ` : body)
  await eventually(async () => clients.every(({ received }) => received().includes('HTTP/1.1 408')))
  await eventually(async () => (await descriptors(service.url)) <= before + 5)
  servedAll(t, await stop())
  t.same(
    service.logs().filter(({ level }) => level === 'error'),
    [],
  )
})

t.test('clients that never read: memory is bounded, and they are left within the bound', async (t) => {
  const service = await run(t, { APP_SERVER__STALL_TIMEOUT: '3s' })
  const stop = await startNeighbour(service)
  const [fds, bytes] = [await descriptors(service.url), await memory(service.url)]
  const clients = deafClients(t, service)
  let most = bytes
  await eventually(async () => {
    most = Math.max(most, await memory(service.url))
    const left = service.logs().filter(({ status }) => status === 499).length
    return left >= clients.length && (await descriptors(service.url)) <= fds + 5
  })
  await eventually(async () => (await metric(service.url, 'http_requests_in_flight')) === 1)
  t.ok(most - bytes < MEMORY_BOUND, `memory grew by ${Math.round((most - bytes) / 1e6)} MB`)
  servedAll(t, await stop())
})

t.test('clients that never read do not hold up the shutdown', async (t) => {
  const service = await run(t)
  const clients = deafClients(t, service)
  await eventually(async () => (await accepted(service)) >= clients.length)
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('slow bodies hold up the shutdown for request_timeout at most', async (t) => {
  const service = await run(t, { APP_SERVER__HEADERS_TIMEOUT: '2s', APP_SERVER__REQUEST_TIMEOUT: '4s' })
  const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
  const clients = many(20, () => connectRaw(t, service.url))
  for (const client of clients) drip(client, `${head}Content-Length: 100000\r\n\r\n{`)
  await eventually(async () => (await accepted(service)) >= clients.length)
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('a thousand idle connections: others are served, and the shutdown closes them', async (t) => {
  const service = await run(t)
  const stop = await startNeighbour(service)
  const bytes = await memory(service.url)
  const clients = many(1000, () => connectRaw(t, service.url))
  // Half have been used, as a load balancer's; half never, as those that browsers open ahead of time.
  const used = clients.slice(0, 500)
  for (const { socket } of used) socket.write('GET /live HTTP/1.1\r\nHost: a\r\n\r\n')
  await eventually(async () => used.every(({ received }) => received().includes('"alive"')))
  await eventually(async () => (await descriptors(service.url)) > 1000)
  const grown = (await memory(service.url)) - bytes
  t.ok(grown < MEMORY_BOUND / 2, `memory grew by ${Math.round(grown / 1e6)} MB`)
  servedAll(t, await stop())
  t.match(await call(`${service.url}/ready`), { status: 200 })
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
  await Promise.all(clients.map(({ closed }) => closed))
})

t.test('clients that leave: 499, no error, nothing left behind', async (t) => {
  const service = await run(t)
  const { url } = service
  const user = await signUpRemote(url)
  const fds = await descriptors(url)
  const post = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
  const me = `GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${user.token}\r\n\r\n`
  const login = JSON.stringify({ email: user.email, password: 'a wrong password' })
  const requests = [
    'GET /live HTTP/1.1\r\nHo',
    `${post}Content-Length: 100\r\n\r\n{"email":`,
    `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n{"ema`,
    `${post}Content-Length: ${login.length}\r\n\r\n${login}`,
    me,
    me.repeat(50),
  ]
  await Promise.all(
    many(120, async (n) => {
      const { socket, closed } = connectRaw(t, url)
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(requests[n % requests.length] ?? '', () => {
        if (n % 4 < 2) socket.resetAndDestroy()
        else socket.destroy()
      })
      await closed
    }),
  )
  await eventually(async () => (await metric(url, 'http_requests_in_flight')) === 1)
  await eventually(async () => (await descriptors(url)) <= fds + 5)
  t.match(await call(`${url}/api/v1/users/me`, { token: user.token }), { status: 200 })
  const logs = service.logs()
  t.ok(logs.some(({ status }) => status === 499))
  t.same(
    // On a busy machine the channel's sign of life may be late, which has nothing to do with clients.
    logs.filter(({ level, msg }) => level !== 'info' && msg !== 'lost the identity channel'),
    [],
    'nobody has to look at the log',
  )
})
