// Among the first, because it makes databases from nothing.
import { globSync } from 'node:fs'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call, registration, signUpRemote } from '#test/support/http.ts'
import {
  compileCache,
  environment,
  listening,
  startProcess,
  startServer,
  startService,
} from '#test/support/process.ts'
import { copyProject, type ProjectCopy } from '#test/support/project-copy.ts'

// A busy machine takes longer to make a cluster than the service would wait for its own end.
const DEVELOPMENT = { APP_ENVIRONMENT: 'development', APP_SERVER__SHUTDOWN_TIMEOUT: '5m' }

/** Copy of the project for the tests that need a cluster, which the first makes. */
const used = copyProject(t)

t.test('it starts a PostgreSQL, ends it, and finds the data again', async (t) => {
  const { directory, postgresRuns } = await used
  const options = { cwd: directory }
  const first = await startService(t, DEVELOPMENT, options)
  t.match(first.stderr(), /Started PostgreSQL in .*\.data\/postgres, port \d+/)
  const user = await signUpRemote(first.url)

  const { port } = new URL(first.url)
  const second = startServer(t, { ...DEVELOPMENT, APP_SERVER__PORT: port }, options)
  t.same(await second.exited, { code: 1, signal: null })
  t.match(second.stderr(), /Using the PostgreSQL that runs[\s\S]*The port is taken/)
  t.match(await call(`${first.url}/api/v1/users/me`, { token: user.token }), { status: 200 })

  first.child.kill('SIGTERM')
  t.same(await first.exited, { code: 0, signal: null })
  t.match(first.stderr(), /Stopped PostgreSQL/)
  t.notOk(await postgresRuns())

  const again = await startService(t, DEVELOPMENT, options)
  t.match(await call(`${again.url}/api/v1/users/me`, { token: user.token }), { status: 200 })
})

t.test('a bad configuration starts no PostgreSQL', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const server = startServer(t, { ...DEVELOPMENT, APP_SERVER__PORT: 'x' }, { cwd: directory })
  t.same(await server.exited, { code: 1, signal: null })
  t.notOk(await postgresRuns())
})

t.test('a signal while PostgreSQL is made leaves none behind', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const server = startServer(t, DEVELOPMENT, { cwd: directory })
  await eventually(async () => server.stderr().includes('Making a PostgreSQL cluster'))
  server.child.kill('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
  t.notOk(await postgresRuns())
})

t.test('an end that waits no longer leaves none behind either', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const options = { cwd: directory }
  const made = startServer(t, { ...DEVELOPMENT, APP_SERVER__SHUTDOWN_TIMEOUT: '1ms' }, options)
  await eventually(async () => made.stderr().includes('Making a PostgreSQL cluster'))
  await eventually(async () => unfinished(directory).length > 0)
  made.child.kill('SIGTERM')
  t.same(await made.exited, { code: 1, signal: null })
  // Of one that was made to its end the folder would stay.
  await eventually(async () => unfinished(directory).length === 0)
  t.notOk(await postgresRuns())
})

t.test('of one that serves, such an end leaves none behind', async (t) => {
  const { directory, postgresRuns } = await used
  const env = { ...DEVELOPMENT, APP_SERVER__DRAIN_DELAY: '4m' }
  const served = await startService(t, env, { cwd: directory })
  served.child.kill('SIGTERM')
  await eventually(async () => served.stdout().includes('shutting down'))
  served.child.kill('SIGINT')
  await served.exited
  await eventually(async () => !(await postgresRuns()))
})

function unfinished(directory: string): string[] {
  return globSync('.data/postgres/cluster.new-*', { cwd: directory })
}

/** `npm start` as the leader of a process group, like a job in a terminal. */
async function npmStart(t: Test, { directory }: ProjectCopy) {
  const env = environment({ ...DEVELOPMENT, ...compileCache(directory), APP_SERVER__PORT: '0' })
  const npm = startProcess(t, 'npm', ['start', '--offline'], { cwd: directory, env, detached: true })
  const { pid = 0 } = npm.child
  t.teardown(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // Everything has ended, as it should.
    }
  })
  await listening(npm)
  return { ...npm, pid }
}

t.test('npm start: Ctrl-C, and SIGTERM to npm alone, end everything in order', async (t) => {
  const copy = await used
  const inTerminal = await npmStart(t, copy)
  process.kill(-inTerminal.pid, 'SIGINT')
  await inTerminal.exited
  t.match(inTerminal.stdout(), /"shut down"/)
  t.notMatch(inTerminal.stdout(), /second signal/)
  t.notOk(await copy.postgresRuns())

  const supervised = await npmStart(t, copy)
  supervised.child.kill('SIGTERM')
  // Only when the service has ended too is the output closed.
  await supervised.exited
  t.match(supervised.stdout(), /"shut down"/)
  t.notOk(await copy.postgresRuns())
})

// The last, because the server of one that was killed goes on.
t.test('kill -9 during writes: who got 201 is there, all others are whole or absent', async (t) => {
  const { directory } = await used
  const service = await startService(t, DEVELOPMENT, { cwd: directory })
  const admitted: { email: string; password: string }[] = []
  async function registerOn(): Promise<void> {
    for (;;) {
      const { username, ...login } = registration()
      const json = { username, ...login }
      const answer = await call(`${service.url}/api/v1/users`, { method: 'POST', json }).catch(
        () => undefined,
      )
      if (answer === undefined) return
      if (answer.status === 201) admitted.push(login)
    }
  }
  const writers = Promise.all(Array.from({ length: 6 }, registerOn))
  await eventually(async () => admitted.length >= 20)
  service.child.kill('SIGKILL')
  t.same(await service.exited, { code: null, signal: 'SIGKILL' })
  await writers

  const again = await startService(t, DEVELOPMENT, { cwd: directory })
  t.match(again.stderr(), /Using the PostgreSQL that runs/)
  for (const json of admitted) {
    t.match(await call(`${again.url}/api/v1/auth/login`, { method: 'POST', json }), { status: 200 })
  }
})
