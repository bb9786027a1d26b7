import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { IdentityChannel } from '#services/sessions/identity/channel.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

type T = Parameters<typeof startProxy>[0]

/** A channel by way of a proxy, and what it tells its listener. */
async function startChannel(t: T, options: { open?: boolean; pools?: boolean } = {}) {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url, options)
  const told = new EventEmitter()
  const warnings: string[] = []
  const log = {
    info: () => undefined,
    warn: (_fields: object, message: string) => warnings.push(message),
    error: () => undefined,
  }
  const listener = {
    forgetSession: (id: string) => told.emit('session', id),
    forgetMember: () => undefined,
    forgetOrganization: () => undefined,
    forgetApiKey: () => undefined,
    forgetUser: (id: string) => told.emit('user', id),
    forgetAll: () => told.emit('all'),
  }
  const channel = new IdentityChannel(connectionTo(proxy.url), listener, log)
  t.teardown(() => channel.close())
  return { db, proxy, told, warnings, channel }
}

t.test('it is trusted once it listens, and tells of users and sessions', async (t) => {
  const { db, told, channel } = await startChannel(t)
  t.notOk(channel.isTrusted(), 'not before it has begun')
  channel.start()
  channel.start()
  await once(told, 'all')
  await eventually(async () => channel.isTrusted())
  const heard = Promise.all([once(told, 'user'), once(told, 'session')])
  await db.query(
    "SELECT pg_notify('identity', 'nonsense'), pg_notify('identity', ''), pg_notify('identity', 'user')",
  )
  await db.query("SELECT pg_notify('identity', 'session:s1')")
  t.same(await heard, [[''], ['s1']])
  const named = await db.query(
    "SELECT FROM pg_stat_activity WHERE application_name = 'groundwork-identity' AND datname = current_database()",
  )
  t.equal(named.length, 1, 'operators see whose connection it is')
  await channel.close()
  t.notOk(channel.isTrusted())
})

t.test('it is not trusted while its connection hangs, though nothing says that it is lost', async (t) => {
  const { db, proxy, told, warnings, channel } = await startChannel(t)
  channel.start()
  await eventually(async () => channel.isTrusted())
  proxy.hang()
  await db.query("SELECT pg_notify('identity', 'user:unheard')")
  await eventually(async () => !channel.isTrusted())
  const forgotten = once(told, 'all')
  await proxy.restore()
  await forgotten
  await eventually(async () => channel.isTrusted())
  t.ok(warnings.includes('lost the identity channel'))
})

t.test('it waits for a database that is away, and ends meanwhile when told to', async (t) => {
  const { proxy, told, warnings, channel } = await startChannel(t, { open: false })
  channel.start()
  await eventually(async () => warnings.length > 0)
  t.notOk(channel.isTrusted())
  const forgotten = once(told, 'all')
  await proxy.restore()
  await forgotten
  await eventually(async () => channel.isTrusted())
  await proxy.cut()
  await eventually(async () => !channel.isTrusted())
  await channel.close()
})

t.test('a server that never answers does not keep it from ending', async (t) => {
  const { proxy, channel } = await startChannel(t)
  proxy.hang()
  channel.start()
  await channel.close()
  t.notOk(channel.isTrusted())
})

t.test('by way of a pooler it is never trusted, and says so once', async (t) => {
  const { db, told, warnings, channel } = await startChannel(t, { pools: true })
  told.on('all', () => t.fail('it listens'))
  channel.start()
  await eventually(async () => warnings.length > 0)
  const listening = "SELECT FROM pg_stat_activity WHERE application_name = 'groundwork-identity'"
  await eventually(async () => (await db.query(`${listening} AND datname = current_database()`)).length === 0)
  t.notOk(channel.isTrusted())
  await channel.close()
  t.same(warnings, ['each request asks the database for the identity'])
})
