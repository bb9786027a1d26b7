import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type LogRecord, type TestApp, type TestUser } from '#test/support/helper.ts'

/** Keeps the one connection of the pool that is not the pipeline's, and one caller waiting for it. */
async function occupyPool(app: FastifyInstance): Promise<() => Promise<void>> {
  const client = await app.pg.pool.connect()
  const waiting = app.db.query({ name: 'test', text: 'SELECT 1' })
  return async () => {
    client.release()
    await waiting
  }
}

/** Keeps the event loop from ever resting, while it still turns. */
function keepBusy(t: Test): () => void {
  let next = setImmediate(spin)
  function spin(): void {
    next = setImmediate(spin)
  }
  const end = () => clearImmediate(next)
  t.teardown(end)
  return end
}

async function start(t: Test, env: Record<string, string>): Promise<TestApp & { url: string }> {
  const test = await createTestApp(t, { APP_PRESSURE__RETRY_AFTER: '7s', ...env }, async (app) => {
    app.get('/block', { config: { access: 'public' }, schema: { hide: true } }, () => {
      for (const end = performance.now() + 2; performance.now() < end; );
      return 'done'
    })
  })
  return { ...test, url: await test.app.listen({ host: '127.0.0.1', port: 0 }) }
}

t.test('while callers queue for the database, and the event loop is busy', async (t) => {
  const { app, url, logs, signUp } = await start(t, {
    APP_PRESSURE__MAX_WAITING: '1',
    APP_DATABASE__MAX_CONNECTIONS: '2',
  })
  let found: TestUser | undefined
  // While the queues of jobs are being made, somebody waits for a connection already.
  await eventually(async () => {
    found = await signUp({ role: 'admin' }).catch(() => undefined)
    return found !== undefined
  })
  const { headers: asAdmin } = { headers: {}, ...found }
  // The pipeline takes its connection with its first statement.
  t.equal((await fetch(`${url}/ready`)).status, 200)
  const release = await occupyPool(app)
  const endBusyness = keepBusy(t)
  await eventually(async () => (await fetch(`${url}/nothing`)).status === 503)
  const before = await refusedFor(app, 'database')

  const response = await fetch(`${url}/api/v1/users/me?x=1`, { headers: { 'x-request-id': 'mine.1' } })
  t.equal(response.status, 503)
  t.same(await response.json(), {
    type: 'urn:problem-type:overloaded',
    title: 'Overloaded',
    status: 503,
    detail: 'The service has more work than it can do.',
    code: 'overloaded',
    request_id: 'mine.1',
  })
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'application/problem+json; charset=utf-8',
    'retry-after': '7',
    'x-request-id': 'mine.1',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'keep-alive',
  })

  const body = JSON.stringify({ email: 'a@example.com', password: 'x'.repeat(100) })
  const headers = { 'content-type': 'application/json', 'x-request-id': 'not sane' }
  const post = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers, body })
  t.equal(post.status, 503)
  t.match(await post.json(), { request_id: /^[\da-f-]{36}$/ }, 'the body is left unread')

  const head = await fetch(`${url}/nothing`, { method: 'HEAD' })
  t.equal(head.status, 503)
  t.equal(head.headers.get('content-length'), String(Buffer.byteLength(JSON.stringify(sampleOf(head)))))

  for (const path of ['/live', '/ready', '/metrics', '/live?x']) {
    t.equal((await fetch(`${url}${path}`)).status, 200, `${path} is answered`)
  }
  t.equal(await refusedFor(app, 'database'), before + 3)
  await eventually(async () => logs().some(({ msg }) => msg === 'requests were refused'))
  // One for each second in which something was refused; the instance's own work may be waiting too.
  for (const line of logs().filter(({ level }) => level === 'error')) {
    t.match(line, { msg: 'requests were refused', reasons: { database: Number }, err: undefined })
    t.ok(Number(pressureOf(line)['database_waiting']) >= 1)
  }

  endBusyness()
  // On a machine that has other work, the loop may look busy for longer.
  await eventually(async () => {
    const list = await fetch(`${url}/api/v1/users`, { headers: asAdmin })
    const { code } = (await list.json()) as { code?: string }
    return list.status === 503 && code === 'database_unavailable' && list.headers.get('retry-after') === '5'
  })
  await eventually(async () => {
    const me = await fetch(`${url}/api/v1/users/me`, { headers: asAdmin })
    await me.text()
    return me.status === 200
  })

  await release()
  // The instance's own work may be waiting too.
  await eventually(async () => {
    const list = await fetch(`${url}/api/v1/users`, { headers: asAdmin })
    await list.text()
    return list.status === 200
  })
})

t.test('while the instance drains', async (t) => {
  const { app, url } = await start(t, { APP_PRESSURE__MAX_WAITING: '1', APP_DATABASE__MAX_CONNECTIONS: '2' })
  await fetch(`${url}/ready`)
  const release = await occupyPool(app)
  keepBusy(t)
  await eventually(async () => (await fetch(`${url}/nothing`)).status === 503)
  app.drain()
  const last = await fetch(`${url}/nothing`)
  t.equal(last.headers.get('connection'), 'close')

  await release()
})

t.test('while what has come keeps the event loop', async (t) => {
  const { app, url } = await start(t, { APP_PRESSURE__MAX_TURN: '10ms' })
  const ask = () => Promise.all(Array.from({ length: 300 }, () => fetch(`${url}/block`)))
  const statuses = new Set<number>()
  await eventually(async () => {
    for (const response of await ask()) {
      statuses.add(response.status)
      await response.text()
    }
    return statuses.has(503)
  })
  t.ok(statuses.has(200), 'some are served')
  t.match(
    await app.metrics.metrics(),
    /http_requests_refused_total\{stage="admission",reason="event_loop"\} [1-9]/,
  )
  await eventually(async () => (await fetch(`${url}/block`)).status === 200)
})

/** The document of an answer to HEAD, which has its length. */
function sampleOf(response: Response): object {
  return {
    type: 'urn:problem-type:overloaded',
    title: 'Overloaded',
    status: 503,
    detail: 'The service has more work than it can do.',
    code: 'overloaded',
    request_id: response.headers.get('x-request-id'),
  }
}

function pressureOf({ pressure }: LogRecord): Record<string, unknown> {
  return { ...(typeof pressure === 'object' ? pressure : undefined) }
}

async function refusedFor(app: FastifyInstance, reason: string): Promise<number> {
  const text = await app.metrics.metrics()
  return Number(
    new RegExp(`^http_requests_refused_total\\{stage="admission",reason="${reason}"\\} (\\d+)$`, 'm').exec(
      text,
    )?.[1],
  )
}
