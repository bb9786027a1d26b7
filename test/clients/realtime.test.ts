/**
 * Has other people's clients of Centrifugo listen to the service, and to Centrifugo where that is on the PATH. It downloads
 * them, so it is part of npm run test:clients.
 */
import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { placeCentrifugo, WITHOUT_CENTRIFUGO } from '#test/support/centrifugo.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { published, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

t.setTimeout(1_200_000)

const MAIN = join(import.meta.dirname, 'python-realtime/main.py')
const run = promisify(execFile)

const withoutPython = await run('python3', ['--version']).then(
  () => false as const,
  () => 'there is no python3',
)

/** Makes a folder with the client; returns its Python. */
async function installPython(directory: string): Promise<string> {
  const python = join(directory, 'venv/bin/python')
  await run('python3', ['-m', 'venv', join(directory, 'venv')])
  await run(python, ['-m', 'pip', 'install', '--quiet', 'centrifuge-python==0.7.0'])
  return python
}

/** Runs the client, and does what is to be done when it says something; returns all that it said. */
async function listen(
  t: Test,
  python: string,
  args: readonly string[],
  replies: Readonly<Record<string, (go: () => void) => unknown>>,
): Promise<ReadonlyMap<string, unknown>> {
  const child = spawn(python, [MAIN, ...args])
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr.on('data', (chunk) => t.comment(String(chunk)))
  const said = new Map<string, unknown>()
  for await (const line of createInterface(child.stdout)) {
    const [name, value] = JSON.parse(line)
    said.set(name, value)
    await replies[name]?.(() => child.stdin.write('\n'))
  }
  return said
}

t.test('centrifuge-python', { skip: withoutPython }, async (t) => {
  const python = await installPython(t.testdir({}))
  for (const [engine, place] of Object.entries({ embedded: undefined, centrifugo: placeCentrifugo })) {
    const skip = place ? WITHOUT_CENTRIFUGO : false
    await t.test(`and the engine ${engine}`, { skip }, async (t) => {
      const centrifugo = await place?.(t)
      const one = await createTestApp(t, centrifugo?.settings)
      const own = await realtimeUrl(one.app)
      await centrifugo?.start(own.replace('ws:', 'http:').replace(/\/realtime$/, ''))
      const tenant = await createOrganization(one.app)
      const user = await tenant.add('member')
      const channel = `organizations:${tenant.organization.id}:projects`
      const other = `user:${tenant.owner.user.id}`
      const create = async () => (await tenant.createProject()).id

      const created: string[] = []
      const said = await listen(t, python, [centrifugo?.url ?? own, tokenOf(user), channel, other], {
        ready: async () => created.push(await create()),
        async away(go) {
          created.push(await create(), await create())
          await published(one.db)
          go()
        },
        heard: () => one.request({ method: 'POST', url: '/api/v1/auth/logout', as: user }),
      })
      t.same(said.get('present'), [user.user.id])
      t.equal(said.get('counted'), 1)
      t.equal(said.get('publishing'), 103)
      t.same(said.get('heard'), created)
      t.equal(said.get('newest'), created[2])
      t.match(JSON.stringify(said.get('happened')), /subscribed True.*disconnected 3500/)
    })
  }
})
