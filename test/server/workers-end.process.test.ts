import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { environment, listening, startProcess } from '#test/support/process.ts'
import { holdPatch, isRefused, run } from './helper.ts'
import { runs, said, WORKERS, withWorkers, workersOf } from './worker-processes.ts'

t.test('SIGTERM: what is in flight finishes', async (t) => {
  const running = await run(t, WORKERS)
  const { answer, release } = await holdPatch(running)
  running.service.child.kill('SIGTERM')
  await eventually(() => isRefused(`${running.service.url}/live`))
  await release()
  t.match(await answer, { status: 200 })
  t.same(await running.service.exited, { code: 0, signal: null })
})

t.test('a second signal ends all at once, and shutdown_timeout too', async (t) => {
  const second = await run(t, WORKERS)
  const held = await holdPatch(second)
  second.service.child.kill('SIGTERM')
  await said(second.service, 'shutting down')
  const cut = t.rejects(held.answer, { code: 'ECONNRESET' })
  second.service.child.kill('SIGINT')
  t.same(await second.service.exited, { code: 1, signal: null })
  await cut
  t.same(workersOf(second.service).filter(runs), [])
  await held.release()

  const late = await run(t, { ...WORKERS, APP_SERVER__SHUTDOWN_TIMEOUT: '1s' })
  const waiting = await holdPatch(late)
  const lost = t.rejects(waiting.answer, { code: 'ECONNRESET' })
  late.service.child.kill('SIGTERM')
  t.same(await late.service.exited, { code: 1, signal: null })
  await lost
  t.match(late.service.stdout(), /shutdown_timeout is over, exiting/)
  t.same(workersOf(late.service).filter(runs), [])
  await waiting.release()
})

t.test('a second signal leaves no worker behind that does not answer', async (t) => {
  const { service } = await withWorkers(t)
  const [stopped = 0] = workersOf(service)
  process.kill(stopped, 'SIGSTOP')
  service.child.kill('SIGTERM')
  await said(service, 'shutting down')
  service.child.kill('SIGINT')
  t.same(await service.exited, { code: 1, signal: null })
  t.same(workersOf(service).filter(runs), [])
})

t.test('Ctrl-C reaches every process, and is one wish', async (t) => {
  const db = await createTestDatabase(t)
  const env = environment({
    APP_ENVIRONMENT: 'test',
    APP_DATABASE__URL: db.url,
    APP_SERVER__PORT: '0',
    ...WORKERS,
  })
  const service = startProcess(t, process.execPath, ['server.ts'], { env, detached: true })
  await listening(service)
  await eventually(async () => workersOf(service).length === 2)
  process.kill(-(service.child.pid ?? 0), 'SIGINT')
  t.same(await service.exited, { code: 0, signal: null })
  t.equal(service.logs().filter(({ msg }) => msg === 'shut down').length, 3)
})

t.test('when the primary is killed, what is in flight finishes and nobody stays behind', async (t) => {
  const running = await run(t, WORKERS)
  await eventually(async () => workersOf(running.service).length === 2)
  const { answer, release } = await holdPatch(running)
  running.service.child.kill('SIGKILL')
  await eventually(() => isRefused(`${running.service.url}/live`))
  await release()
  t.match(await answer, { status: 200 })
  // Only when the workers have ended too is the output closed.
  t.same(await running.service.exited, { code: null, signal: 'SIGKILL' })
  t.match(running.service.stdout(), /the primary process is gone/)
})

t.test('when the primary is killed while a worker starts, that one ends too, and at once', async (t) => {
  const preload = ['--import', join(import.meta.dirname, '../fixtures/late-listen.ts')]
  const { service, db } = await run(t, WORKERS, preload)
  await eventually(async () => workersOf(service).length === 2)
  process.kill(workersOf(service)[0] ?? 0, 'SIGKILL')
  await eventually(async () => service.stderr().includes('about to listen'))
  service.child.kill('SIGKILL')
  t.same(await service.exited, { code: null, signal: 'SIGKILL' })
  t.notMatch(service.stdout(), /shutdown_timeout is over/)
  t.equal(service.logs().filter(({ msg }) => msg === 'shut down').length, 2)
  t.equal((await db.query('SELECT FROM instances')).length, 1, 'nobody is left but the one that was killed')
})

t.test('an uncaught error: in a worker it is replaced, in the primary all end', async (t) => {
  const { service } = await run(t, WORKERS)
  await eventually(async () => workersOf(service).length === 2)
  const [first = 0] = workersOf(service)
  process.kill(first, 'SIGUSR2')
  await eventually(async () => workersOf(service).length === 3)
  t.match(
    service.logs().find(({ level }) => level === 'fatal'),
    { pid: first, err: { message: 'planted exception' } },
  )
  service.child.kill('SIGUSR2')
  t.same(await service.exited, { code: 1, signal: null })
  t.same(workersOf(service).filter(runs), [])
})
