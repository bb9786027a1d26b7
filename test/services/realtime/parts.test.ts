import t from 'tap'
import { ChannelList } from '#services/realtime/channel-list.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import { Message } from '#services/realtime/message.ts'
import { readCommands } from '#services/realtime/protocol.ts'
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

t.test('commands', async (t) => {
  t.same(readCommands('{"id":1,"ping":{}}\n{}\n', 2), [{ id: 1, ping: {} }, {}])
  t.same(readCommands('{"id":1,"subscribe":{"channel":"x","new":1}}', 1)?.length, 1, 'what newer clients add')
  for (const frame of ['', '\n', '[]', '1', '{', '{"id":-1}', '{"id":1.5}', '{}\n{}\n{}', '{"connect":1}']) {
    t.equal(readCommands(frame, 2), undefined, frame)
  }
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
