/** Cases that centrifuge-js checks of a server by its own tests, as far as the service has them. */
import { Centrifuge, type Subscription } from 'centrifuge'
import t, { type Test } from 'tap'
import { ENGINES } from '#test/support/engines.ts'
import { eventually } from '#test/support/eventually.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { published, tokenOf } from '#test/support/realtime.ts'

/** Codes by which the client says why: it was told to, or the connection was lost. */
const [BY_CALL, TRANSPORT_CLOSED] = [0, 1]

for (const [engine, { skip, start }] of Object.entries(ENGINES)) {
  t.test(`centrifuge-js and the engine ${engine}`, { skip }, async (t) => {
    const { app, db, url } = await start(t)
    const tenant = await createOrganization(app)
    const org = tenant.organization.id
    const channel = `organizations:${org}:projects`
    const user = await tenant.add('member')

    const client = (t: Test, network?: EventTarget) => {
      const made = new Centrifuge(url, {
        getData: async () => ({ token: tokenOf(user) }),
        minReconnectDelay: 10,
        maxReconnectDelay: 100,
        ...(network && { networkEventTarget: network }),
      })
      t.teardown(() => made.disconnect())
      return made
    }
    /** Collects what a subscription hears. */
    const heardBy = (subscription: Subscription) => {
      const heard: string[] = []
      subscription.on('publication', ({ data }) => heard.push(data.subject.id))
      return heard
    }
    const create = async (count: number) => {
      const ids: string[] = []
      for (let index = 0; index < count; index++) ids.push((await tenant.createProject()).id)
      await published(db)
      return ids
    }
    const next = <T>(on: (listener: (context: T) => void) => void) => new Promise<T>((resolve) => on(resolve))

    await t.test('connects and disconnects', async (t) => {
      const one = client(t)
      const disconnected = next<{ code: number }>((done) => one.once('disconnected', done))
      one.connect()
      await one.ready()
      t.equal(one.state, 'connected')
      one.disconnect()
      t.equal((await disconnected).code, BY_CALL)
      for (let turn = 0; turn < 10; turn++) {
        one.connect()
        one.disconnect()
      }
      t.equal(one.state, 'disconnected')
    })

    await t.test('sends what was asked before it was connected', async (t) => {
      const one = client(t)
      const refused = t.rejects(one.rpc('method', {}))
      one.connect()
      await refused
    })

    await t.test('subscribes and unsubscribes again and again, and is there once', async (t) => {
      const [one, other] = [client(t), client(t)]
      one.connect()
      other.connect()
      const subscription = one.newSubscription(channel)
      for (let turn = 0; turn < 10; turn++) {
        subscription.subscribe()
        subscription.unsubscribe()
      }
      t.equal(subscription.state, 'unsubscribed')
      subscription.subscribe()
      await subscription.ready()
      await eventually(async () => (await subscription.presenceStats()).numClients === 1)
      t.equal(Object.keys((await subscription.presence()).clients).length, 1)
      const watching = other.newSubscription(channel)
      watching.subscribe()
      await watching.ready()
      subscription.unsubscribe()
      await eventually(async () => (await watching.presenceStats()).numClients === 1)
    })

    await t.test('unsubscribes before it has connected, and subscribes later', async (t) => {
      const one = client(t)
      const subscription = one.newSubscription(channel)
      subscription.subscribe()
      one.connect()
      subscription.unsubscribe()
      await one.ready()
      subscription.subscribe()
      one.disconnect()
      one.connect()
      subscription.unsubscribe()
      t.equal(subscription.state, 'unsubscribed')
      subscription.subscribe()
      await subscription.ready()
      const heard = heardBy(subscription)
      const ids = await create(1)
      await eventually(async () => heard.length === 1)
      t.same(heard, ids)
    })

    await t.test('has many subscriptions, in one frame', async (t) => {
      const one = client(t)
      one.connect()
      await one.ready()
      one.startBatching()
      const names = [channel, `organizations:${org}`, `organizations:${org}:files`]
      const subscriptions = names.map((name) => one.newSubscription(name))
      for (const subscription of subscriptions) subscription.subscribe()
      one.stopBatching()
      await Promise.all(subscriptions.map((subscription) => subscription.ready()))
      for (const subscription of subscriptions) {
        const unsubscribed = next<{ code: number }>((done) => subscription.once('unsubscribed', done))
        subscription.unsubscribe()
        t.equal((await unsubscribed).code, BY_CALL)
        one.removeSubscription(subscription)
      }
      t.same(one.subscriptions(), {})
    })

    await t.test('goes offline and online', async (t) => {
      const network = new EventTarget()
      const one = client(t, network)
      one.connect()
      await one.ready()
      const connecting = next<{ code: number }>((done) => one.once('connecting', done))
      network.dispatchEvent(new Event('offline'))
      t.equal((await connecting).code, TRANSPORT_CLOSED)
      t.equal(one.state, 'connecting')
      network.dispatchEvent(new Event('online'))
      await one.ready()
      one.disconnect()
      network.dispatchEvent(new Event('online'))
      t.equal(one.state, 'disconnected', 'it was told to be')
    })

    await t.test('gets what came while it was not subscribed', async (t) => {
      const one = client(t)
      one.connect()
      const subscription = one.newSubscription(channel)
      const heard = heardBy(subscription)
      subscription.subscribe()
      await subscription.ready()
      const ids = await create(1)
      await eventually(async () => heard.length === 1)
      subscription.unsubscribe()
      ids.push(...(await create(2)))
      const subscribed = next<{ recovered: boolean }>((done) => subscription.once('subscribed', done))
      subscription.subscribe()
      t.ok((await subscribed).recovered)
      await eventually(async () => heard.length === 3)
      t.same(heard, ids)
    })

    for (const event of ['subscribed', 'publication'] as const) {
      await t.test(
        `gets later what it did not take, because it left in a handler of '${event}'`,
        async (t) => {
          const one = client(t)
          one.connect()
          const subscription = one.newSubscription(channel)
          subscription.subscribe()
          await subscription.ready()
          subscription.unsubscribe()
          const ids = await create(3)
          const heard = heardBy(subscription)
          const unsubscribed = next((done) => subscription.once('unsubscribed', done))
          subscription.once(event, () => subscription.unsubscribe())
          subscription.subscribe()
          await unsubscribed
          subscription.subscribe()
          await eventually(async () => heard.length >= 3)
          t.same(heard, ids, 'once, and in order')
        },
      )
    }
  })
}
