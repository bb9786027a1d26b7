import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startService } from '#test/support/process.ts'
import { holdPatch, run } from './helper.ts'
import { runs, said, WORKERS, workersOf } from './worker-processes.ts'

const STUCK = ['--import', join(import.meta.dirname, '../fixtures/stuck.ts')]
const SHORT = { APP_SERVER__SHUTDOWN_TIMEOUT: '1s' }

function stuckThread(t: Test): Record<string, string> {
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  return { STUCK: 'thread', STUCK_FIFO: fifo }
}

async function start(t: Test, env: Record<string, string>) {
  const db = await createTestDatabase(t)
  return startService(t, { APP_DATABASE__URL: db.url, ...env }, { nodeArgs: STUCK })
}

t.test('a native thread that never returns does not keep the process', async (t) => {
  const service = await start(t, stuckThread(t))
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
  t.match(service.logs().at(-1), { msg: 'shut down' })
})

t.test('nor does it at shutdown_timeout', async (t) => {
  const running = await run(t, { ...SHORT, ...stuckThread(t) }, STUCK)
  const { answer, release } = await holdPatch(running)
  const cut = t.rejects(answer, { code: 'ECONNRESET' })
  running.service.child.kill('SIGTERM')
  t.same(await running.service.exited, { code: 1, signal: null })
  t.match(running.service.logs().at(-1), { level: 'fatal', msg: 'shutdown_timeout is over, exiting' })
  await cut
  await release()
})

t.test('an event loop that is blocked at the signal is killed after shutdown_timeout', async (t) => {
  const service = await start(t, { ...SHORT, STUCK: 'block at SIGTERM' })
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: null, signal: 'SIGKILL' })
  t.match(service.stderr(), 'the end takes too long, killing the process')
})

t.test('a worker that is blocked at the signal is killed by its primary', async (t) => {
  const service = await start(t, { ...WORKERS, ...SHORT, STUCK: 'block worker' })
  await eventually(async () => workersOf(service).length === 2)
  service.child.kill('SIGTERM')
  await said(service, 'shutting down')
  t.same(await service.exited, { code: 1, signal: null })
  // The system takes a moment to carry out SIGKILL.
  await eventually(async () => !workersOf(service).some(runs))
})

t.test('an event loop that is blocked before the signal is killed too', async (t) => {
  const service = await start(t, { ...SHORT, STUCK: 'block at SIGWINCH' })
  service.child.kill('SIGWINCH')
  await eventually(async () => service.stderr().includes('blocked'))
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: null, signal: 'SIGKILL' })
  t.match(service.stderr(), 'the event loop has been blocked too long, killing the process')
})
