import t from 'tap'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { createDoorman } from '#plugins/api/realtime/callers.ts'
import { type Ending, UNSUBSCRIBES } from '#services/realtime/protocol.ts'
import { Subscription } from '#services/realtime/subscription.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { tokenOf } from '#test/support/realtime.ts'
import { createHub, openClient } from './hub.ts'

t.test('a client, as time goes by', async (t) => {
  const { app, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const hub = await createHub(t, app)
  const user = await signUp()

  /** A client whose clock and connection are the test's. */
  const open = async (isConnected = true) => {
    let now = 0
    const { client, frames, endings } = openClient(t, app, hub, () => now)
    if (isConnected) {
      client.receive(JSON.stringify({ id: 1, connect: { token: tokenOf(user) } }))
      await eventually(async () => frames.length === 1)
    }
    return {
      client,
      frames,
      endings,
      /** Lets each second of so many come and be ticked. */
      pass(seconds: number) {
        for (let second = 0; second < seconds; second++) {
          now += 1000
          client.tick(now)
        }
      },
    }
  }
  const codes = (endings: readonly Ending[]) => endings.map(({ code }) => code)

  await t.test('that does not say who it is', async (t) => {
    const { client, pass, endings } = await open(false)
    client.tick(60_000)
    t.same(endings, [], 'the process was stopped, and the client waits')
    pass(4)
    t.same(endings, [])
    pass(1)
    t.same(codes(endings), [3502])
  })

  await t.test('that brings the token of somebody else', async (t) => {
    const { client, frames, endings } = await open()
    const refresh = async (token: string, frame: number) => {
      client.receive(JSON.stringify({ id: frame, refresh: { token } }))
      await eventually(async () => frames.length === frame || endings.length === 1)
    }
    await refresh(tokenOf(user), 2)
    t.same(endings, [])
    await refresh(tokenOf(await signUp()), 3)
    t.same(codes(endings), [3500], 'and it does not come back')
  })

  await t.test('whom nobody finds out about', async (t) => {
    const admitted = Promise.withResolvers<'invalid'>()
    const { client, endings } = openClient(t, app, hub, () => 0, { admit: () => admitted.promise })
    client.receive(JSON.stringify({ id: 1, connect: { token: tokenOf(user) } }))
    for (let second = 0; second < 6; second++) client.tick(second)
    t.same(codes(endings), [3004], 'it connects again')
    admitted.resolve('invalid')
  })

  await t.test('that can get another token is told when it needs one', async (t) => {
    const { client, frames } = openClient(t, app, hub, () => 600_000)
    client.receive(JSON.stringify({ id: 1, connect: { token: tokenOf(user) } }))
    await eventually(async () => frames.length === 1)
    const { connect } = JSON.parse(frames[0] ?? '')
    const { lifetimeS } = app.tokens
    t.ok(connect.expires)
    t.ok(connect.ttl <= lifetimeS && connect.ttl > lifetimeS / 2, `${connect.ttl} of ${lifetimeS} seconds`)
  })

  await t.test('whose token came as data, and expires', async (t) => {
    const { client, frames, pass, endings } = await open(false)
    client.receive(JSON.stringify({ id: 1, connect: { data: { token: tokenOf(user) } } }))
    await eventually(async () => frames.length === 1)
    const { connect } = JSON.parse(frames[0] ?? '')
    t.notOk('ttl' in connect || 'expires' in connect, 'it would ask for a token that it has no way to get')
    const { exp } = app.tokens.verify(tokenOf(user))
    for (let at = Date.now() / 1000; at < exp; at++) {
      pass(1)
      client.receive('{}')
    }
    t.same(endings, [])
    for (let second = 0; second < 30; second++) {
      pass(1)
      client.receive('{}')
    }
    t.same(codes(endings), [3005])
  })

  await t.test('that sends a token which has expired', async (t) => {
    let isExpired = true
    const real = createDoorman(app, LOCAL_ADDRESS)
    const doorman = { admit: async (text: string) => (isExpired ? 'expired' : real.admit(text)) } as const
    const token = tokenOf(user)
    const first = openClient(t, app, hub, () => 0, doorman)
    first.client.receive(JSON.stringify({ id: 1, connect: { token } }))
    await eventually(async () => first.frames.length === 1)
    t.match(JSON.parse(first.frames[0] ?? ''), { id: 1, error: { code: 109 } }, 'it asks for another one')
    const data = openClient(t, app, hub, () => 0, doorman)
    data.client.receive(JSON.stringify({ id: 1, connect: { data: { token } } }))
    await eventually(async () => data.endings.length === 1)
    t.same([codes(data.endings), data.frames], [[3005], []], 'it connects again, and asks for another one')
    isExpired = false
    first.client.receive(JSON.stringify({ id: 2, connect: { token } }))
    await eventually(async () => first.frames.length === 2)
    isExpired = true
    first.client.receive(JSON.stringify({ id: 3, refresh: { token } }))
    await eventually(async () => first.endings.length === 1)
    t.same(codes(first.endings), [3005], 'a refusal would end the client for good')
  })

  await t.test('that answers pings, and then does not', async (t) => {
    const { client, pass, frames, endings } = await open()
    // The first comes anywhere in the second half of the interval.
    while (frames.length < 2) pass(1)
    client.receive('{}')
    pass(24)
    t.same(frames.slice(1), ['{}'])
    t.same(endings, [])
    pass(9)
    t.same(frames.slice(1), ['{}', '{}'])
    t.same(endings, [])
    pass(1)
    t.same(codes(endings), [3012])
  })

  await t.test('whose token expires', async (t) => {
    const { client, frames, pass, endings } = await open()
    const { ttl } = JSON.parse(frames[0] ?? '').connect
    const live = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        pass(1)
        client.receive('{}')
      }
    }
    live(ttl + 20)
    t.same(endings, [], 'it has some time to send another')
    live(10)
    t.same(codes(endings), [3005])
    client.receive('{}')
    t.same(codes(endings), [3005], 'what comes after the end is nothing')
  })

  await t.test('is told which of its subscriptions has ended, and why', async (t) => {
    const { client, frames, endings } = await open()
    const { organization } = await createOrganization(app)
    const name = `organizations:${organization.id}:projects`
    const found = app.ctx.realtime.channels.find(name)
    if (found === undefined) throw new TypeError('there is such a channel')
    for (const why of [UNSUBSCRIBES.denied, UNSUBSCRIBES.lost]) {
      client.dropped(new Subscription(name, found), why)
      t.strictSame(JSON.parse(frames.at(-1) ?? ''), { push: { channel: name, unsubscribe: why } })
    }
    t.same(endings, [])
    const own = `user:${user.user.id}`
    const ofUser = app.ctx.realtime.channels.find(own)
    if (ofUser === undefined) throw new TypeError('there is such a channel')
    client.dropped(new Subscription(own, ofUser), UNSUBSCRIBES.lost)
    t.same(codes(endings), [3010], 'for what it never asked for, it connects again')
  })

  await t.test('whose subscription is interrupted while it begins', async (t) => {
    const { client, frames } = await open()
    const channel = `user:${user.user.id}`
    client.receive(JSON.stringify({ id: 2, unsubscribe: { channel } }))
    client.receive(JSON.stringify({ id: 3, subscribe: { channel } }))
    hub.lost()
    await eventually(async () => frames.length === 3)
    t.match(JSON.parse(frames[2] ?? ''), { id: 3, error: { code: 100, temporary: true } }, 'it asks again')
    client.receive(JSON.stringify({ id: 4, subscribe: { channel } }))
    await eventually(async () => frames.length === 4)
    t.match(JSON.parse(frames[3] ?? ''), { id: 4, subscribe: {} })
  })

  await t.test('may send as much as it did before, after a while', async (t) => {
    const { client, pass, endings } = await open()
    client.receive(Array.from({ length: 250 }, () => '{}').join('\n'))
    pass(4)
    client.receive(Array.from({ length: 130 }, () => '{}').join('\n'))
    t.same(endings, [])
    client.receive(Array.from({ length: 130 }, () => '{}').join('\n'))
    t.same(codes(endings), [3013])
  })

  await t.test('takes no place in an organization in which it may not listen', async (t) => {
    const tenant = await createOrganization(app)
    const { id } = tenant.organization
    // Known in memory, so that the strangers' rights are still being asked for when the member's are known.
    await eventually(async () => {
      await app.ctx.memberships.load(id, tenant.owner.user.id)
      return app.ctx.memberships.peek(id, tenant.owner.user.id) !== undefined
    })
    const hub = await createHub(t, app, {}, { perOrganization: 1 })
    const connect = async (user: TestUser) => {
      const { client, frames } = openClient(t, app, hub)
      client.receive(JSON.stringify({ id: 1, connect: { token: tokenOf(user) } }))
      await eventually(async () => frames.length > 0)
      return { client, frames }
    }
    const subscribe = JSON.stringify({
      id: 2,
      subscribe: { channel: `organizations:${id}` },
    })
    const strangers = [await connect(await signUp()), await connect(await signUp())]
    const member = await connect(tenant.owner)
    for (const { client } of [...strangers, member]) client.receive(subscribe)
    const replyOf = ({ frames }: { frames: string[] }) => frames.find((frame) => frame.includes('"id":2'))
    for (const each of [...strangers, member]) await eventually(async () => replyOf(each) !== undefined)
    t.match(replyOf(member), '"subscribe"')
    for (const stranger of strangers) t.match(replyOf(stranger), '103')
    const second = await connect(await tenant.add('member'))
    second.client.receive(subscribe)
    await eventually(async () => replyOf(second) !== undefined)
    t.match(replyOf(second), '106', 'the place is taken')
  })

  await t.test('is forgotten when it has left', async (t) => {
    const before = hub.peers.size
    const { client } = await open()
    t.equal(hub.peers.size, before + 1)
    client.left()
    t.equal(hub.peers.size, before)
  })
})
