import { writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { runs, said, withWorkers, workersOf } from './worker-processes.ts'

t.test('SIGHUP: new workers take over one by one, and no request fails', async (t) => {
  const secretFile = join(t.testdir(), 'secret')
  await writeFile(secretFile, 'a secret of a test that is long enough')
  const { service, url } = await withWorkers(t, { APP_JWT__SECRET_FILE: secretFile })
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true }), undefined]
  t.teardown(() => {
    for (const agent of agents) agent?.destroy()
  })
  const answers: unknown[] = []
  let going = true
  const load = Promise.all(
    agents.map(async (agent) => {
      while (going) {
        const path = answers.length % 5 === 0 ? '/ready' : '/live'
        const answer = call(`${url}${path}`, agent ? { agent } : {})
        answers.push(await answer.then(({ status }) => status, String))
      }
    }),
  )
  await eventually(async () => answers.length > 100)
  const old = workersOf(service)
  service.child.kill('SIGHUP')
  await said(service, 'restarted the workers')
  going = false
  await load
  t.same([...new Set(answers)], [200])
  t.equal(workersOf(service).length, 4)
  t.same(old.filter(runs), [])

  await writeFile(secretFile, 'short')
  service.child.kill('SIGHUP')
  await said(service, 'not restarting')
  t.match(
    service.logs().find(({ level }) => level === 'error'),
    { err: { message: /APP_JWT__SECRET/ } },
  )
  t.match(await call(`${url}/ready`), { status: 200 })
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('a worker of a restart that does not start leaves the old ones alone', async (t) => {
  const { service, db, url } = await withWorkers(t)
  await db.query("UPDATE schemaversion SET md5 = 'changed' WHERE version = 1")
  service.child.kill('SIGHUP')
  await said(service, 'the rolling restart is given up')
  t.match(await call(`${url}/live`), { status: 200 })
  t.equal(workersOf(service).filter(runs).length, 2)
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
})

t.test('signals during a rolling restart end everything', async (t) => {
  const { service } = await withWorkers(t)
  service.child.kill('SIGHUP')
  await said(service, 'one by one')
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
  t.same(workersOf(service).filter(runs), [])
})
