import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { publishByCentrifugo } from '#services/realtime/centrifugo/publish.ts'
import { findChannels } from '#services/realtime/channel-list.ts'
import { messageOf } from '#services/realtime/message-of.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { startClusterStandIn } from '#test/support/cluster-stand-in.ts'
import { eventOf } from '../event-of.ts'

t.test('what a cluster is asked to tell', async (t) => {
  const { app } = await borrowTestApp(t)
  const cluster = await startClusterStandIn(t)
  const ctx = { db: new SystemDatabase(app.ctx.db), channels: await findChannels<never>(), api: cluster.api }
  const [org, user] = [uuidv7(), uuidv7()]
  const created = eventOf({ organization_id: org })
  // On the channel of the members, and on the user's own.
  const joined = eventOf({
    ...{ type: 'members.added', organization_id: org, data: { user_id: user } },
    subject: { type: 'user', id: user },
  })
  const unheard = eventOf({ type: 'webhooks.created', organization_id: org })
  const told = (channel: string, event: typeof created) => ({
    publish: { channel, data: JSON.parse(messageOf(event)), idempotency_key: event.id },
  })
  const ended = (caller: string) => ({
    disconnect: { user: caller, disconnect: { code: 4000, reason: 'rights changed' } },
  })
  /** Publishes events; returns the ids of those that are told, and the batches that were asked for. */
  const publish = async (...events: (typeof created)[]) => {
    const before = cluster.batches().length
    const ids = await publishByCentrifugo(ctx, events)
    return { ids, asked: cluster.batches().slice(before) }
  }

  await t.test('events on their channels, in order', async (t) => {
    const { ids, asked } = await publish(created, unheard, joined)
    t.strictSame(ids, [created.id, unheard.id, joined.id])
    t.strictSame(asked, [
      [
        told(`organizations:${org}:projects`, created),
        told(`organizations:${org}`, joined),
        told(`user:${user}`, joined),
      ],
    ])
    t.strictSame(await publish(unheard), { ids: [unheard.id], asked: [] }, 'nobody could hear of it')
  })

  await t.test('no rights before those who lose them connect again', async (t) => {
    const removed = eventOf({
      ...{ type: 'members.removed', organization_id: org, data: { user_id: user } },
      subject: { type: 'user', id: user },
    })
    const again = { ...removed, id: uuidv7() }
    const { asked } = await publish(created, removed, again)
    t.strictSame(asked[0], [ended(user)], 'once, and before what came first')
    t.equal(asked.length, 2)
    t.strictSame(asked[1]?.[0], told(`organizations:${org}:projects`, created))
  })

  await t.test('no more than 500 ends at once, and again what was not done', async (t) => {
    const deleted = Array.from({ length: 501 }, () => eventOf({ type: 'users.deleted' }))
    const ends = deleted.map(({ subject }) => ended(subject.id))
    t.strictSame((await publish(...deleted)).asked.slice(0, 2), [ends.slice(0, 500), ends.slice(500)])
    let isFirst = true
    cluster.on('batch', ({ commands }) => {
      const stopsAt = isFirst ? 1 : commands.length
      isFirst = false
      const refused = { error: { code: 100, message: 'internal server error' } }
      return { replies: commands.map((_, index) => (index < stopsAt ? {} : refused)) }
    })
    t.strictSame((await publish(...deleted.slice(0, 3))).asked.slice(0, 2), [
      ends.slice(0, 3),
      ends.slice(1, 3),
    ])
  })

  await t.test('those that it does not tell on all their channels come again', async (t) => {
    const refused = { error: { code: 102, message: 'unknown channel' } }
    cluster.on('batch', { replies: [{}, {}, refused, {}] })
    const { ids } = await publish(created, joined, { ...created, id: uuidv7() })
    t.strictSame(ids, [created.id])
    cluster.on('batch', { replies: [{}, {}, {}, refused] })
    t.strictSame((await publish(created, joined, { ...created, id: uuidv7() })).ids, [created.id, joined.id])
    cluster.on('batch', { replies: [refused] })
    await t.rejects(publish(created), { code: 'centrifugo_error_102' })
  })
})
