import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call } from '#test/support/http.ts'
import { environment, listening, startProcess, startServer } from '#test/support/process.ts'
import { CONNECTIONS, holdPatch, isRefused, run } from './helper.ts'

/** Connections as browsers and load balancers hold them: used before, never used, half a request. */
async function holdConnections(t: Test, url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await call(`${url}/live`, { agent })
  for (const text of [
    '',
    'GET /live HTTP/1.1\r\nHost: x\r\n',
    'GET /live HTTP/1.1\r\nHost: x\r\n\r\nGET /li',
  ]) {
    const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    if (text.includes('\r\n\r\n')) await new Promise((resolve) => socket.once('data', resolve))
    else await new Promise((resolve) => socket.once('connect', resolve))
  }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  t.test(`${signal}: what is in flight finishes, then exit 0`, async (t) => {
    const running = await run(t)
    const { service, db } = running
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    const { answer, release } = await holdPatch(running, agent)
    await holdConnections(t, service.url)

    service.child.kill(signal)
    await eventually(() => isRefused(`${service.url}/live`))
    await release()
    const { status, headers, text } = await answer
    t.match(
      { status, headers, body: JSON.parse(text) },
      {
        status: 200,
        headers: { connection: 'close' },
        body: { username: 'changed' },
      },
    )
    t.same(await service.exited, { code: 0, signal: null })
    const ends = service.logs().filter(({ msg }) => msg === 'shutting down' || msg === 'shut down')
    t.match(ends, [{ level: 'info', signal }, { level: 'info' }])
    t.same(await db.query(CONNECTIONS), [], 'no connection is left in the database')
    t.same(await db.query('SELECT username FROM users'), [{ username: 'changed' }])
  })
}

t.test('a body that is still coming is in flight', async (t) => {
  const { service, user } = await run(t)
  const body = JSON.stringify({ username: 'slowly' })
  const answer = new Promise<Partial<Answer>>((resolve, reject) => {
    const upload = request(`${service.url}/api/v1/users/me`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${user.token}`,
        'content-type': 'application/json',
        'content-length': body.length,
        expect: '100-continue',
      },
    })
    upload.on('response', (response) => resolve({ status: response.statusCode ?? 0 }))
    upload.on('error', reject)
    upload.once('continue', async () => {
      upload.write(body.slice(0, 5))
      service.child.kill('SIGTERM')
      await eventually(() => isRefused(`${service.url}/live`))
      upload.end(body.slice(5))
    })
    upload.flushHeaders()
  })
  t.same(await answer, { status: 200 })
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('during drain_delay it is not ready, and works', async (t) => {
  const { service, user } = await run(t, { APP_SERVER__DRAIN_DELAY: '10s' })
  t.match(await call(`${service.url}/ready`), { status: 200 })
  service.child.kill('SIGTERM')
  await eventually(async () => service.stdout().includes('shutting down'))
  const ready = await call(`${service.url}/ready`)
  t.match(ready, { status: 503, headers: { connection: 'close' } })
  t.match(
    JSON.parse(ready.text).checks.find((check: { name: string }) => check.name === 'draining'),
    {
      status: 'down',
      reason: 'the instance is shutting down',
    },
  )
  t.match(await call(`${service.url}/live`), { status: 200 })
  t.match(await call(`${service.url}/api/v1/users/me`, { token: user.token }), {
    status: 200,
    headers: { connection: 'close' },
  })
  t.same(await service.exited, { code: 0, signal: null })
  t.ok(await isRefused(`${service.url}/live`))
})

t.test('at shutdown_timeout it does not wait any longer', async (t) => {
  const running = await run(t, { APP_SERVER__SHUTDOWN_TIMEOUT: '1s' })
  const { answer, release } = await holdPatch(running)
  running.service.child.kill('SIGTERM')
  await t.rejects(answer, { code: 'ECONNRESET' })
  t.same(await running.service.exited, { code: 1, signal: null })
  t.match(running.service.logs().at(-1), {
    level: 'fatal',
    msg: 'shutdown_timeout is over, exiting',
    phase: 'close the application',
  })
  await release()
})

t.test('a second signal ends it at once', async (t) => {
  const again: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
  for (const second of again) {
    const running = await run(t)
    const { answer, release } = await holdPatch(running)
    running.service.child.kill('SIGTERM')
    await eventually(async () => running.service.stdout().includes('shutting down'))
    const rejected = t.rejects(answer, { code: 'ECONNRESET' })
    // The same one counts as another a while later only, for npm passes a Ctrl-C on to who got it already.
    await eventually(async () => {
      running.service.child.kill(second)
      return running.service.stdout().includes('second signal')
    })
    const { code, signal } = await running.service.exited
    // One more of them may reach the shell that takes the place of Node, before that ignores it.
    t.ok(code === 1 || signal === second, `${second}: ${code} ${signal}`)
    t.match(running.service.logs().at(-1), { level: 'fatal', signal: second, msg: 'second signal, exiting' })
    await rejected
    await release()
  }
})

t.test('the same signal twice, as from npm, is one', async (t) => {
  const running = await run(t)
  const { answer, release } = await holdPatch(running)
  running.service.child.kill('SIGINT')
  running.service.child.kill('SIGINT')
  await eventually(() => isRefused(`${running.service.url}/live`))
  await release()
  t.match(await answer, { status: 200 })
  t.same(await running.service.exited, { code: 0, signal: null })
})

t.test('under npm it ends when the shell between them does', async (t) => {
  const db = await createTestDatabase(t)
  const command = `"${process.execPath}" server.ts & echo "child $!"; wait`
  const shell = startProcess(t, 'sh', ['-c', command], {
    env: environment({
      APP_ENVIRONMENT: 'test',
      APP_DATABASE__URL: db.url,
      APP_SERVER__PORT: '0',
      npm_lifecycle_event: 'start',
    }),
    // By a nohup above the tests it would be meant to stay.
    detached: true,
  })
  t.teardown(() => {
    try {
      process.kill(Number(/^child (\d+)/.exec(shell.stdout())?.[1]), 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  })
  await listening(shell)
  shell.child.kill('SIGKILL')
  // Only when the service has ended too is the output closed.
  await shell.exited
  t.match(shell.stdout(), /"signal":"SIGTERM","msg":"shutting down"[\s\S]*"msg":"shut down"/)
})

t.test('a signal before it listens', async (t) => {
  const db = await createTestDatabase(t)
  await db.query('SELECT pg_advisory_lock(7306361248735502)')
  const server = startServer(t, { APP_DATABASE__URL: db.url })
  await eventually(async () => server.stdout().includes('Waiting for another instance'))
  server.child.kill('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
})
