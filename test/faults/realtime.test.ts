import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startService } from '#test/support/process.ts'
import { Ear, tokenOf } from '#test/support/realtime.ts'
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
