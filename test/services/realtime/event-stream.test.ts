import t from 'tap'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { createDoorman } from '#plugins/api/realtime/callers.ts'
import { EventStream } from '#services/realtime/event-stream.ts'
import { Message } from '#services/realtime/message.ts'
import { type Ending, REFUSALS, UNSUBSCRIBES } from '#services/realtime/protocol.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { tokenOf } from '#test/support/realtime.ts'
import { createHub } from './hub.ts'

t.test('a stream of events, as time goes by', async (t) => {
  const { app, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const hub = await createHub(t, app)
  const user = await signUp()
  const admitted = await createDoorman(app, LOCAL_ADDRESS).admit(tokenOf(user))
  const own = `user:${user.user.id}`

  /** A stream whose clock and connection are the test's. */
  const open = async ({
    lifetimeMs = Number.POSITIVE_INFINITY,
    lastEventId,
    channels = [own],
  }: {
    lifetimeMs?: number
    lastEventId?: string
    channels?: string[]
  } = {}) => {
    const clock = { now: 0, waiting: 0 }
    const frames: string[] = []
    const endings: Ending[] = []
    const stream = new EventStream({
      ...{ hub, channels, lastEventId, lifetimeMs, maxWaiting: 1, now: () => clock.now },
      connection: {
        send: (frame) => frames.push(String(frame)),
        get waiting() {
          return clock.waiting
        },
        close: (why) => endings.push(why),
      },
    })
    t.teardown(() => stream.left())
    if (typeof admitted === 'object') hub.identify(stream, admitted.listener)
    const refusal = await stream.open()
    const tick = (now: number) => {
      clock.now = now
      stream.tick(now)
    }
    const offset = () => stream.subscriptions.get(own)?.offset ?? 0
    const tell = () =>
      hub.deliver([new Message({ channel: own, offset: offset() + 1, data: '{"told":true}' })])
    return { stream, frames, endings, refusal, tick, tell, clock, offset }
  }
  const place = /^[0-9a-f-]{36}\.\d+~[0-9a-f]+$/

  await t.test('begins with its channels, and tells what happens with its place', async (t) => {
    const { frames, tell, offset } = await open()
    const [retry, name, id, data, ...rest] = frames[0]?.split('\n') ?? []
    t.same([retry, name], ['retry: 1000', 'event: ready'])
    t.match(id?.replace('id: ', ''), place)
    t.equal(data, `data: {"channels":["${own}"],"reload":[]}`)
    t.same(rest, ['', ''])
    await tell()
    const told = frames[1]?.split('\n') ?? []
    t.match(told[0]?.replace('id: ', ''), place)
    t.equal(told[0]?.split(/[.~]/)[1], String(offset()), 'where it is now')
    t.same(told.slice(1), [`data: {"channel":"${own}","data":{"told":true}}`, '', ''])
    t.equal(frames.length, 2)
  })

  await t.test('says after 15 seconds of silence that it is there', async (t) => {
    const { frames, tick, tell } = await open()
    tick(15_000)
    t.equal(frames.length, 1)
    tick(15_001)
    t.equal(frames[1], ': still here\n\n')
    tick(30_001)
    t.equal(frames.length, 2)
    tick(30_002)
    t.equal(frames.length, 3)
    await tell()
    tick(45_002)
    t.equal(frames.length, 4, 'what it tells says so too')
  })

  await t.test('ends after ten minutes, or with its token', async (t) => {
    for (const [lifetimeMs, lastMs] of [
      [Number.POSITIVE_INFINITY, 600_000],
      [700_000, 600_000],
      [1000, 1000],
    ] as const) {
      const { tick, endings } = await open({ lifetimeMs })
      tick(lastMs)
      t.same(endings, [])
      tick(lastMs + 1)
      t.match(endings, [{ code: 3005 }])
    }
  })

  await t.test('ends for a client that does not read', async (t) => {
    const { clock, tell, endings, frames } = await open()
    clock.waiting = 1
    await tell()
    t.same(endings, [])
    clock.waiting = 2
    await tell()
    t.match(endings, [{ code: 3008 }])
    await tell()
    t.equal(frames.length, 3, 'and sends no more')
  })

  await t.test('ends with a subscription, so that the client comes back', async (t) => {
    const lost = await open()
    hub.lost()
    t.match(lost.endings, [{ code: 3010 }])
    const denied = await open()
    const subscription = denied.stream.subscriptions.get(own)
    if (subscription) denied.stream.dropped(subscription, UNSUBSCRIBES.denied)
    t.same(denied.endings, [{ code: 2000, reason: `permission denied: ${own}` }])
  })

  await t.test('sends nothing where one of the channels is refused', async (t) => {
    const { refusal, frames } = await open({ channels: [own, 'nothing'] })
    t.equal(refusal, REFUSALS.denied)
    t.same(frames, [])
  })

  await t.test('has a client load again whose place it does not know', async (t) => {
    const { frames } = await open({ lastEventId: 'nonsense' })
    t.match(frames[0], `"reload":["${own}"]`)
    const [, id = ''] = /^id: (.*)$/m.exec((await open()).frames[0] ?? '') ?? []
    t.match((await open({ lastEventId: id })).frames[0], '"reload":[]')
    t.match((await open({ lastEventId: `${id}0` })).frames[0], `"reload":["${own}"]`)
  })
})
