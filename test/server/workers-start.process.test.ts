import t from 'tap'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startServer, startService } from '#test/support/process.ts'
import { copyProject } from '#test/support/project-copy.ts'
import { said, WORKERS, workersOf } from './worker-processes.ts'

t.test('what keeps a single process from starting keeps all of them, and is told once', async (t) => {
  const db = await createTestDatabase(t)
  const { url } = await startService(t, { APP_DATABASE__URL: db.url })
  const taken = startServer(t, {
    APP_DATABASE__URL: db.url,
    APP_SERVER__PORT: new URL(url).port,
    ...WORKERS,
  })
  t.same(await taken.exited, { code: 1, signal: null })
  t.equal(taken.stderr().match(/The port is taken/g)?.length, 1)
  t.notMatch(taken.stderr(), /\n {4}at /, 'no stack')
  // A worker may have taken up a job meanwhile.
  const others = taken.logs().filter(({ module }) => module !== 'jobs')
  t.strictSame(others, [])

  const empty = await createEmptyDatabase(t)
  await empty.query('CREATE TABLE users ()')
  const failed = startServer(t, { APP_DATABASE__URL: empty.url, ...WORKERS })
  t.same(await failed.exited, { code: 1, signal: null })
  t.equal(failed.stderr().match(/relation "users" already exists/g)?.length, 1)

  const bad = startServer(t, { APP_SERVER__WORKERS: 'many', APP_SERVER__PORT: 'http' })
  t.same(await bad.exited, { code: 1, signal: null })
  t.match(
    bad.stderr(),
    /APP_SERVER__PORT: .*\n.*APP_SERVER__WORKERS: must be a whole number from 1 to 1024 or auto/,
  )
})

t.test('a migration that fails late ends the whole too', async (t) => {
  const { url: databaseUrl, query } = await createEmptyDatabase(t)
  await query('CREATE TABLE users ()')
  await query('SELECT pg_advisory_lock(7306361248735502)')
  const service = await startService(t, { APP_DATABASE__URL: databaseUrl, ...WORKERS })
  await eventually(async () => workersOf(service).length === 2)
  await query('SELECT pg_advisory_unlock(7306361248735502)')
  t.same(await service.exited, { code: 1, signal: null })
  t.match(service.stdout(), /before the service was ready/)
})

t.test('they share one embedded PostgreSQL, and the primary ends it', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const env = { APP_ENVIRONMENT: 'development', APP_SERVER__WORKERS: '2' }
  const service = await startService(t, env, { cwd: directory })
  await eventually(async () => workersOf(service).length === 2)
  t.equal(service.stderr().match(/Started PostgreSQL/g)?.length, 1)
  t.equal(service.stderr().match(/^API /gm)?.length, 1)
  service.child.kill('SIGHUP')
  await said(service, 'restarted the workers')
  t.match(await call(`${service.url}/ready`), { status: 200 })
  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
  t.notOk(await postgresRuns())
})
