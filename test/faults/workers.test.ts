import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'

// Many processes, on a machine that may be busy, and a worker that has to be silent for half a minute.
t.setTimeout(300_000)

t.test('a worker that hangs: metrics go on with what it said last, and it is replaced', async (t) => {
  const db = await createTestDatabase(t)
  const service = await startService(t, { APP_DATABASE__URL: db.url, APP_SERVER__WORKERS: '2' })
  const { url, logs } = service
  await eventually(async () => service.stdout().includes('Worker listening'))
  const count = async () => {
    const { text } = await call(`${url}/metrics`)
    return Number(/^http_request_duration_seconds_count\{.*"getLiveness".*\} (\d+)$/m.exec(text)?.[1])
  }
  for (let sent = 0; sent < 10; sent++) await call(`${url}/live`)
  t.equal(await count(), 10)

  const stuck = Number(logs().find(({ msg }) => msg === 'Worker listening')?.['pid'])
  process.kill(stuck, 'SIGSTOP')
  // It gets connections until it owes an answer; the other one has to serve the rest.
  const first = call(`${url}/live`).catch(() => undefined)
  const second = call(`${url}/live`).catch(() => undefined)
  await Promise.race([first, second])
  t.equal(await count(), 11)

  const killed = () =>
    logs().some(({ msg, worker_pid }) => /is killed/.test(String(msg)) && worker_pid === stuck)
  // Only twice, because that takes half a minute.
  await eventually(async () => killed()).catch(() => eventually(async () => killed()))
  await eventually(async () => logs().filter(({ msg }) => msg === 'Worker listening').length === 2)
  await Promise.all([first, second])
  t.ok((await count()) >= 11)
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})
