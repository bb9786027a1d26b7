import { setTimeout as sleep } from 'node:timers/promises'
import { Centrifuge } from 'centrifuge'
import t from 'tap'
import { WebSocket } from 'ws'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService, type TestProcess } from '#test/support/process.ts'
import { WORKERS, workersOf } from './worker-processes.ts'

/** Lines that ask somebody to look, and the server's own words about its database. */
function troubles({ logs, stderr }: TestProcess): unknown[] {
  return [
    ...logs().filter((line) => line['level'] !== 'info' && line['level'] !== 'debug' && !isLate(line)),
    ...[stderr()].filter(Boolean),
  ]
}

/** Whether an answer took longer than a limit waits for one, as on a machine that is busy. */
function isLate({ err }: Record<string, unknown>): boolean {
  return typeof err === 'object' && err !== null && 'type' in err && err.type === 'NoAnswer'
}

/** Asks for everything that asks the database, until nobody listens any more. */
async function ask(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.allSettled(['/metrics', '/ready', '/health'].map((path) => call(url + path)))
    await sleep(50)
  }
}

/** Listens to what happens, and comes back when a stream ends, until nobody listens any more. */
async function hear(url: string, signal: AbortSignal): Promise<void> {
  const { token, id } = await signUpRemote(url)
  const headers = { authorization: `Bearer ${token}` }
  const socket = new Centrifuge(`${url.replace('http', 'ws')}/realtime`, { token, websocket: WebSocket })
  socket.connect()
  while (!signal.aborted) {
    const stream = fetch(`${url}/realtime/events?channels=user:${id}`, { headers, signal })
    await stream.then((answer) => answer.text()).catch(() => undefined)
    await sleep(20)
  }
  socket.disconnect()
}

/** Whether somebody listens in both ways. */
function hears({ text }: { text: string }): boolean {
  return ['websocket', 'sse'].every((way) => text.includes(`realtime_connections{transport="${way}"} 1`))
}

const CASES = {
  'a server that also works on jobs': { APP_ROLE: 'all' },
  'a worker': { APP_ROLE: 'worker' },
  'several processes': WORKERS,
}

for (const [name, env] of Object.entries(CASES)) {
  t.test(`an orderly end logs no trouble: ${name}`, async (t) => {
    const db = await createTestDatabase(t)
    const counted = {
      APP_RATE_LIMIT__ENABLED: 'true',
      APP_RATE_LIMIT__STORE: 'postgres',
      APP_LOG__LEVEL: 'debug',
      // Time for those who listen to come back.
      APP_SERVER__DRAIN_DELAY: '300ms',
    }
    const service = await startService(t, { APP_DATABASE__URL: db.url, ...counted, ...env })
    await eventually(async () => (await call(`${service.url}/ready`)).status === 200)
    const asking = new AbortController()
    const heard = name === 'a worker' ? undefined : hear(service.url, asking.signal)
    if (heard) await eventually(async () => hears(await call(`${service.url}/metrics`)))
    const asked = ask(service.url, asking.signal)
    if (env === WORKERS) {
      await eventually(async () => workersOf(service).length === 2)
      service.child.kill('SIGHUP')
      await eventually(async () => service.stdout().includes('restarted the workers'))
    }
    service.child.kill('SIGTERM')
    t.same(await service.exited, { code: 0, signal: null })
    asking.abort()
    await Promise.all([asked, heard])
    t.same(troubles(service), [])
  })
}
