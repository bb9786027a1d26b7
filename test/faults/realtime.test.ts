import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startService } from '#test/support/process.ts'
import { Ear, published, tokenOf } from '#test/support/realtime.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(1_200_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)
const CLIENTS = 20

t.test('nodes are killed, and no client misses anything or hears it twice', async (t) => {
  const db = await createTestDatabase(t)
  // One that does not die, and to which nobody listens.
  const app = await startInstance(t, db)
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  // Each passes events on as well, and may die in the middle of that.
  const start = () => startService(t, { APP_DATABASE__URL: db.url, APP_ROLE: 'all' })
  let node = await start()
  const proxy = await startProxy(t, node.url)
  const { port } = new URL(proxy.url)
  const ears: Ear[] = []
  for (let index = 0; index < CLIENTS; index++) {
    const ear = new Ear(t, `ws://127.0.0.1:${port}/realtime`, tokenOf(await tenant.add('member')))
    await ear.to(channel)
    ears.push(ear)
  }

  const created: string[] = []
  let isOver = false
  const creating = (async () => {
    while (!isOver) created.push((await tenant.createProject()).id)
  })()
  for (let round = 0; round < ROUNDS; round++) {
    const next = await start()
    const before = created.length
    await eventually(async () => created.length > before + 10)
    node.child.kill('SIGKILL')
    await node.exited
    proxy.retarget(next.url)
    node = next
    await eventually(async () => ears.every(({ recoveries }) => recoveries.length >= round + 2))
  }
  isOver = true
  await creating
  for (const ear of ears) {
    t.ok(await ear.heard(channel, created), 'all of it, once, in its order')
    t.notOk(ear.recoveries.includes(false))
  }
})

t.test('a process that stood still tells nothing to those who lost their rights meanwhile', async (t) => {
  const db = await createTestDatabase(t)
  const app = await startInstance(t, db)
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const environment = { APP_DATABASE__URL: db.url }
  await startService(t, { ...environment, APP_ROLE: 'worker' })
  const node = await startService(t, { ...environment, APP_ROLE: 'web' })
  const url = `${node.url.replace('http', 'ws')}/realtime`
  for (let round = 0; round < ROUNDS; round++) {
    const [removed, signedOut, member] = [
      await tenant.add('member'),
      await tenant.add('member'),
      await tenant.add('member'),
    ]
    const ears = await Promise.all(
      [removed, signedOut, member].map(async (user) => {
        const ear = new Ear(t, url, tokenOf(user))
        await ear.to(channel)
        return ear
      }),
    )
    const hears = (id: string) => ears.map(({ told }) => told.some(({ subject }) => subject === id))
    const before = await tenant.createProject()
    await eventually(async () => hears(before.id).every(Boolean))

    node.child.kill('SIGSTOP')
    const ended = await Promise.all([
      app.inject({
        method: 'DELETE',
        url: `${tenant.url}/members/${removed.user.id}`,
        headers: tenant.owner.headers,
      }),
      app.inject({ method: 'POST', url: '/api/v1/auth/logout', headers: signedOut.headers }),
    ])
    t.same(
      ended.map(({ statusCode }) => statusCode),
      [204, 204],
    )
    // Longer than rights may outlast their end.
    await sleep(1500)
    const after = await tenant.createProject()
    await published(db)
    node.child.kill('SIGCONT')

    await eventually(async () => hears(after.id)[2] === true)
    await eventually(async () => ears.slice(0, 2).every(({ happened }) => happened.length > 0))
    t.same(hears(after.id), [false, false, true])
  }
})
