import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestProcess } from '#test/support/process.ts'
import { WORKERS, workersOf } from './worker-processes.ts'

/** Lines that ask somebody to look, and the server's own words about its database. */
function troubles({ logs, stderr }: TestProcess): unknown[] {
  return [
    ...logs().filter(({ level }) => level !== 'info' && level !== 'debug'),
    ...[stderr()].filter(Boolean),
  ]
}

/** Asks for everything that asks the database, until nobody listens any more. */
async function ask(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.allSettled(['/metrics', '/ready', '/health'].map((path) => call(url + path)))
    await sleep(50)
  }
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
    }
    const service = await startService(t, { APP_DATABASE__URL: db.url, ...counted, ...env })
    await eventually(async () => (await call(`${service.url}/ready`)).status === 200)
    const asking = new AbortController()
    const asked = ask(service.url, asking.signal)
    if (env === WORKERS) {
      await eventually(async () => workersOf(service).length === 2)
      service.child.kill('SIGHUP')
      await eventually(async () => service.stdout().includes('restarted the workers'))
    }
    service.child.kill('SIGTERM')
    t.same(await service.exited, { code: 0, signal: null })
    asking.abort()
    await asked
    t.same(troubles(service), [])
  })
}
