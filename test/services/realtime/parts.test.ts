import t from 'tap'
import { ChannelList, findChannels } from '#services/realtime/channel-list.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import { Message } from '#services/realtime/message.ts'
import { Parcel } from '#services/realtime/parcel.ts'
import {
  ENDINGS,
  isReturning,
  LEFT,
  REFUSALS,
  readCommands,
  UNSUBSCRIBES,
} from '#services/realtime/protocol.ts'
import { removalIn } from '#services/realtime/removal.ts'
import { Subscription } from '#services/realtime/subscription.ts'

const ID = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
const notes = {
  name: 'organizations:{organization_id}:notes',
  description: 'What happens to notes.',
  events: [],
  paramsOf: ofOrganization,
  authorize: () => true,
}

t.test('names of channels', async (t) => {
  const channel = defineChannel(notes)
  t.same(channel.match(`organizations:${ID}:notes`), { organization_id: ID })
  for (const name of [`organizations:${ID}`, `organizations:${ID}:notes:x`, 'organizations:x:notes', '']) {
    t.equal(channel.match(name), undefined, name)
  }
  t.equal(channel.nameOf({ organization_id: ID }), `organizations:${ID}:notes`)
  t.throws(() => defineChannel({ ...notes, name: 'Notes' }), /can't be named/)
  t.throws(() => new ChannelList([channel, defineChannel(notes)]), /defined twice/)
})

t.test(
  'an event is told on the channels that name it, and what one person is told on theirs alone',
  async (t) => {
    const list = await findChannels()
    const [org, subject, user] = [ID.replace('01', '02'), ID.replace('01', '03'), ID.replace('01', '04')]
    const types = new Map(list.channels.flatMap(({ events }) => events.map((event) => [event.type, event])))
    for (const { type, of, subject: kind, data } of types.values()) {
      const event = {
        ...{ id: ID, type, version: 1, occurred_at: '', request_id: null, impersonator_id: null },
        ...{ actor: { kind: 'system' as const, id: null }, subject: { type: kind, id: subject } },
        ...{ organization_id: of === 'organization' ? org : null, told_to: null },
        data: JSON.stringify('user_id' in data.properties ? { user_id: user } : {}),
      } as const
      const naming = list.channels.filter(({ events }) => events.some((each) => each.type === type))
      const own = naming.some(({ isOwn }) => isOwn)
      const person = kind === 'user' ? subject : 'user_id' in data.properties ? user : undefined
      t.strictSame(
        list.carriersOf(event).map(({ channel }) => channel),
        [
          ...naming.filter(({ isOwn }) => !isOwn).map((each) => each.nameOf({ organization_id: org })),
          ...(own && person !== undefined ? [`user:${person}`] : []),
        ],
        type,
      )
      const personal = list.carriersOf({ ...event, organization_id: null, told_to: user })
      t.strictSame(personal, own ? [{ channel: `user:${user}`, org: null }] : [], `${type}, to one person`)
    }
  },
)

t.test('commands', async (t) => {
  t.same(readCommands('{"id":1,"ping":{}}\n{}\n', 2), [{ id: 1, ping: {} }, {}])
  t.same(readCommands('{"id":1,"subscribe":{"channel":"x","new":1}}', 1)?.length, 1, 'what newer clients add')
  for (const frame of ['', '\n', '[]', '1', '{', '{"id":-1}', '{"id":1.5}', '{}\n{}\n{}', '{"connect":1}']) {
    t.equal(readCommands(frame, 2), undefined, frame)
  }
})

t.test('clients connect again by themselves, or do not', async (t) => {
  const { shutdown, noPong, rightsChanged, sessionEnded, invalid, tooMany } = ENDINGS
  for (const why of [shutdown, noPong, rightsChanged]) t.ok(isReturning(why), why.reason)
  for (const why of [sessionEnded, invalid, tooMany, { code: 4500, reason: 'x' }])
    t.notOk(isReturning(why), why.reason)
})

t.test("the numbers are those of Centrifugo's protocol, which clients know", async (t) => {
  const codesOf = (all: Record<string, { code: number }>) =>
    Object.entries(all).map(([name, { code }]) => `${name} ${code}`)
  t.strictSame(codesOf(REFUSALS), [
    ...['internal 100', 'unauthorized 101', 'denied 103', 'unknownMethod 104', 'subscribed 105'],
    ...['limit 106', 'invalid 107', 'unavailable 108', 'tokenExpired 109', 'unrecoverable 112'],
  ])
  t.strictSame(
    Object.values(REFUSALS).filter((refusal) => 'temporary' in refusal),
    [REFUSALS.internal],
  )
  t.strictSame(codesOf({ ...ENDINGS, left: LEFT, ...UNSUBSCRIBES }), [
    ...['shutdown 3001', 'serverError 3004', 'expired 3005', 'slow 3008', 'insufficientState 3010'],
    ...['noPong 3012', 'flood 3013', 'sessionEnded 3500', 'invalidToken 3500', 'invalid 3501'],
    ...['binary 3501', 'stale 3502', 'tooMany 3504', 'rightsChanged 4000', 'left 3000'],
    ...['denied 2000', 'lost 2500'],
  ])
})

t.test('who was removed', async (t) => {
  const message = (type: string) => ({
    data: JSON.stringify({ type, timestamp: '2026-11-30T12:00:00.500Z', subject: { type: 'user', id: ID } }),
  })
  t.same(removalIn(message('members.removed')), { user: ID, at: Date.UTC(2026, 10, 30, 12, 0, 0, 500) })
  for (const type of ['members.removed.late', 'members.added']) t.equal(removalIn(message(type)), undefined)
  t.equal(removalIn({ data: `{"join":${message('members.removed').data}}` }), undefined)
})

t.test('a subscription passes on what comes after its beginning, once, and in order', async (t) => {
  const found = { channel: defineChannel(notes), params: { organization_id: ID } }
  const begun = (offset: number, ...held: number[]) => {
    const subscription = new Subscription('x', found)
    for (const each of held) t.equal(subscription.take(message(each)), 'old')
    return { subscription, fresh: subscription.begin(offset)?.map((each) => each.offset) }
  }
  const message = (offset: number) => new Message({ channel: 'x', offset, data: '{}' })
  t.same(begun(5, 4, 5, 6, 7).fresh, [6, 7])
  t.equal(begun(5, 7).fresh, undefined, 'one is missing')
  const { subscription } = begun(5)
  t.equal(subscription.take(message(5)), 'old')
  t.equal(subscription.take(message(6)), 'new')
  t.equal(subscription.take(message(6)), 'old')
  t.equal(subscription.take(message(8)), 'gap')
  const flooded = begun(2000, ...Array.from({ length: 1001 }, (_, index) => index))
  t.equal(flooded.fresh, undefined, 'too much came meanwhile')
})

t.test('messages that come together go out together', async (t) => {
  const found = { channel: defineChannel(notes), params: { organization_id: ID } }
  const message = (offset: number | null, size = 0) =>
    new Message({ channel: 'x', offset, data: JSON.stringify({ join: 'x'.repeat(size) }) })
  const subscribed = (offset: number) => {
    const subscription = new Subscription('x', found)
    subscription.begin(offset)
    return subscription
  }
  const all = new Parcel([message(6), message(7), message(null), message(8)])
  t.equal(all.told, 3, 'a notice is not told again')
  const offsetsOf = (parcel: Parcel | undefined) => parcel?.messages.map(({ offset }) => offset)
  t.same(subscribed(8).takeAll(all), { fresh: undefined, isGap: false }, 'nothing of it is new')
  t.same(offsetsOf(subscribed(5).takeAll(all).fresh), [6, 7, 8], 'notices are for those who want them')
  t.same(offsetsOf(subscribed(6).takeAll(all).fresh), [7, 8])
  const gap = subscribed(5).takeAll(new Parcel([message(6), message(8), message(9)]))
  t.same(offsetsOf(gap.fresh), [6], 'what came before the one that is missing')
  t.ok(gap.isGap)
  const numbers = new Parcel([message(6), message(7)])
  t.equal(subscribed(5).takeAll(numbers).fresh, numbers, 'whose frames are made once')

  const lines = (parcel: Parcel) => parcel.frames.map((frame) => String(frame).split('\n').length)
  t.same(lines(new Parcel([])), [])
  t.same(lines(all), [4], 'one a line')
  t.equal(String(new Parcel([message(6)]).frames[0]), String(message(6).push))
  t.same(lines(new Parcel([message(1, 20_000), message(2, 20_000), message(3, 20_000)])), [2, 1])
})
