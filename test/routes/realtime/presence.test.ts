// Among the first, because it takes long.

import type { Subscription } from 'centrifuge'
import t from 'tap'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

t.test('who else listens', async (t) => {
  const one = await createTestApp(t)
  const other = await startInstance(t, one.db, { APP_ROLE: 'web' })
  const urls = [await realtimeUrl(one.app), await realtimeUrl(other)] as const
  /** A channel that nobody has listened to: one who leaves another is there for seconds. */
  const newChannel = async () => {
    const tenant = await createOrganization(one.app)
    const channel = `organizations:${tenant.organization.id}`
    const listen = async (index: 0 | 1, joinLeave = true) => {
      const user = await tenant.add('member')
      const ear = new Ear(t, urls[index], tokenOf(user))
      const subscription = await ear.to(channel, { joinLeave })
      return { ear, subscription, user, id: user.user.id }
    }
    return { tenant, channel, listen }
  }
  const usersOf = async ({ subscription }: { subscription: Subscription }) =>
    Object.values((await subscription.presence()).clients).map(({ user }) => user)

  await t.test('is known at every instance, and told to those who want to hear it', async (t) => {
    const { channel, listen } = await newChannel()
    const [here, there, deaf] = [await listen(0), await listen(1), await listen(1, false)]
    const all = [here.id, there.id, deaf.id]
    for (const listener of [here, there, deaf]) {
      await eventually(async () => (await usersOf(listener)).length === 3)
      t.same((await usersOf(listener)).sort(), all.sort())
      t.match(await listener.subscription.presenceStats(), { numClients: 3, numUsers: 3 })
    }
    await eventually(async () => here.ear.presences.length === 3)
    t.same(new Set(here.ear.presences), new Set(all.map((id) => `join ${id}`)), 'its own as well')
    t.same(deaf.ear.presences, [])
    deaf.subscription.unsubscribe()
    for (const { ear } of [here, there])
      await eventually(async () => ear.presences.includes(`leave ${deaf.id}`))
    await t.rejects(deaf.ear.client.presence(channel), { code: 103 }, 'for those who listen')
    t.match(await here.subscription.presenceStats(), { numClients: 2 })
    for (const { ear } of [here, there]) ear.client.disconnect()
  })

  await t.test('a short loss of the network is not told before somebody is back', async (t) => {
    const { listen } = await newChannel()
    const [here, lost] = [await listen(0), await listen(1)]
    await eventually(async () => here.ear.presences.includes(`join ${lost.id}`))
    for (const peer of other.realtimeHub?.peers ?? []) peer.end({ code: 3000, reason: 'the network' })
    await eventually(async () => here.ear.presences.includes(`leave ${lost.id}`))
    const ofLost = here.ear.presences.filter((line) => line.endsWith(lost.id))
    t.same(ofLost, [`join ${lost.id}`, `join ${lost.id}`, `leave ${lost.id}`])
    t.equal((await usersOf(here)).filter((id) => id === lost.id).length, 1)
    for (const { ear } of [here, lost]) ear.client.disconnect()
  })

  await t.test('a removed member is gone at once', async (t) => {
    const { tenant, listen } = await newChannel()
    const [here, removed] = [await listen(0), await listen(1)]
    await eventually(async () => here.ear.presences.includes(`join ${removed.id}`))
    const url = `${tenant.url}/members/${removed.id}`
    t.equal((await one.request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
    await eventually(async () => here.ear.presences.includes(`leave ${removed.id}`))
    for (const { ear } of [here, removed]) ear.client.disconnect()
  })

  await t.test('dies with its process', async (t) => {
    const { tenant, channel, listen } = await newChannel()
    const here = await listen(0)
    // As a process leaves it that is killed: without a word.
    const dead = new Attendance(one.app.db, one.app.log)
    t.teardown(() => dead.close())
    const client = crypto.randomUUID()
    const user = crypto.randomUUID()
    dead.join({ org: tenant.organization.id, channel, client, caller: user })
    await dead.list(channel)
    await dead.close()
    await eventually(async () => here.ear.presences.includes(`join ${user}`))
    t.ok((await usersOf(here)).includes(user))
    await eventually(async () => here.ear.presences.includes(`leave ${user}`))
    t.notOk((await usersOf(here)).includes(user))
    here.ear.client.disconnect()
  })

  await t.test('is written again when PostgreSQL has lost it', async (t) => {
    const { listen } = await newChannel()
    const [here, there] = [await listen(0), await listen(1)]
    await eventually(async () => (await usersOf(here)).length === 2)
    await one.db.query('TRUNCATE realtime_nodes, realtime_presence')
    await eventually(async () => (await usersOf(here)).length === 2)
    t.same((await usersOf(there)).sort(), [here.id, there.id].sort())
    for (const { ear } of [here, there]) ear.client.disconnect()
  })

  await t.test('of very many, only how many', async (t) => {
    const { tenant, channel, listen } = await newChannel()
    const here = await listen(0)
    const crowd = new Attendance(other.db, other.log)
    t.teardown(() => crowd.close())
    const org = tenant.organization.id
    const clients = Array.from({ length: 1100 }, () => crypto.randomUUID())
    for (const client of clients) crowd.join({ org, channel, client, caller: client })
    await crowd.list(channel)
    t.equal((await usersOf(here)).length, 1000)
    t.match(await here.subscription.presenceStats(), { numClients: 1101 })
    for (const client of clients) crowd.leave(channel, client, false)
    await eventually(async () => (await usersOf(here)).length === 1)
    here.ear.client.disconnect()
  })
})

t.test('what was never told is not told', async (t) => {
  const { app } = await createTestApp(t)
  const ctx: AppContext = app.ctx
  const attendance = new Attendance(ctx.db, app.log)
  t.teardown(() => attendance.close())
  const presence = { org: null, channel: 'user:x', client: crypto.randomUUID(), caller: 'x' }
  attendance.join(presence)
  attendance.leave(presence.channel, presence.client, false)
  attendance.leave(presence.channel, 'nobody', false)
  t.same(await attendance.list(presence.channel), [])
  t.same(await attendance.count(presence.channel), { clients: 0, callers: 0 })
})

t.test('who comes back and leaves again before anything is written is gone', async (t) => {
  const { app } = await createTestApp(t)
  const attendance = new Attendance(app.db, app.log)
  t.teardown(() => attendance.close())
  const presence = { org: null, channel: 'user:y', client: crypto.randomUUID(), caller: 'y' }
  attendance.join(presence)
  t.equal((await attendance.list(presence.channel)).length, 1)
  attendance.leave(presence.channel, presence.client, false)
  attendance.join(presence)
  attendance.leave(presence.channel, presence.client, false)
  t.same(await attendance.list(presence.channel), [])
})

t.test('who subscribes again by the same connection is there, and never was away', async (t) => {
  const { app, db } = await createTestApp(t)
  const attendance = new Attendance(app.db, app.log)
  t.teardown(() => attendance.close())
  const presence = { org: null, channel: 'user:z', client: crypto.randomUUID(), caller: 'z' }
  const rows = async () => {
    await attendance.list(presence.channel)
    return db.query('SELECT leaves_at IS NULL AS stays FROM realtime_presence')
  }
  const joined = () => db.query("SELECT FROM realtime_messages WHERE data LIKE '%join%'")
  attendance.join(presence)
  t.strictSame(await rows(), [{ stays: true }])
  attendance.leave(presence.channel, presence.client, true)
  t.strictSame(await rows(), [{ stays: false }])
  attendance.join(presence)
  t.strictSame(await rows(), [{ stays: true }])
  t.equal((await joined()).length, 1)
})
