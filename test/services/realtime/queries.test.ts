import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as presence from '#services/realtime/presence/queries.ts'
import * as queries from '#services/realtime/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const SILENCE_MS = 60_000

t.test('what a channel told, and from where on', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const store = new SystemDatabase(app.db)
  t.equal(await queries.takeNumbers(store, 3), 1)
  t.equal(await queries.takeNumbers(store, 2), 4, 'after the three')
  const message = (seq: number, channel: string, offset: number) => ({
    ...{ org: null, seq, channel, offset },
    data: `{"n":${seq}}`,
  })
  await queries.insertMessages(store, [message(1, 'a', 1), message(2, 'b', 1), message(3, 'a', 2)])
  await queries.insertMessages(store, [message(5, 'a', 3)])
  await queries.insertNotices(store, [{ org: null, seq: 4, channel: 'a', data: '{}' }])
  t.strictSame(
    await queries.selectTops(store, ['a', 'b', 'c']),
    new Map([
      ['a', 3],
      ['b', 1],
    ]),
  )

  const read = async (after: number, limit: number) => {
    const found = await queries.selectMessages(store, after, limit)
    t.equal(found?.last_seq, 5)
    return found?.messages.map(({ seq, channel, offset }) => [seq, channel, offset])
  }
  const all = [
    [1, 'a', 1],
    [2, 'b', 1],
    [3, 'a', 2],
    [4, 'a', null],
    [5, 'a', 3],
  ]
  for (let after = 0; after <= 5; after++) t.strictSame(await read(after, 9), all.slice(after), `${after}`)
  t.strictSame(await read(1, 2), all.slice(1, 3))

  const told = async (after: number, limit: number, name = 'a') => {
    const channel = await queries.selectChannel(store, name, { after, limit })
    return channel && [channel.top, ...channel.messages.map(({ offset }) => offset)]
  }
  t.strictSame(await told(0, 9), [3, 1, 2, 3], 'without what was told only to those who were there')
  t.strictSame(await told(1, 9), [3, 2, 3])
  t.strictSame(await told(0, 2), [3, 2, 3], 'the newest')
  t.strictSame(await told(3, 9), [3])
  t.strictSame(await told(0, 9, 'b'), [1, 1])
  t.equal(await told(0, 9, 'c'), undefined)
  await queries.beginChannel(store, 'c', null)
  await queries.beginChannel(store, 'b', null)
  t.strictSame([await told(0, 9, 'c'), await told(0, 9, 'b')], [[5], [1, 1]], 'one that has begun goes on')

  const node = uuidv7()
  await presence.insertNode(store, node)
  const isDue = (name: string) => queries.selectIsDue(store, name, SILENCE_MS)
  t.equal(await isDue('a'), false, 'nobody listens')
  const listener = { org: null, client: uuidv7(), caller: 'somebody' }
  await presence.insertPresences(store, node, [
    { ...listener, channel: 'a' },
    { ...listener, channel: 'd' },
  ])
  t.strictSame([await isDue('a'), await isDue('d'), await isDue('b')], [false, true, false])
  await db.query("UPDATE realtime_channels SET touched_at = now() - interval '2 minutes' WHERE name = 'a'")
  t.equal(await isDue('a'), true)
})

t.test('who listens, until when, and how many', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const store = new SystemDatabase(app.db)
  const [node, silent] = [uuidv7(), uuidv7()]
  for (const id of [node, silent]) await presence.insertNode(store, id)
  const [one, two, other] = [
    { org: null, channel: 'a', client: uuidv7(), caller: 'ada' },
    { org: null, channel: 'a', client: uuidv7(), caller: 'ada' },
    { org: null, channel: 'a', client: uuidv7(), caller: 'grace' },
  ]
  const beside = { ...one, channel: 'b' }
  t.strictSame(await presence.insertPresences(store, node, [one, two, beside]), [one, two, beside])
  t.strictSame(await presence.insertPresences(store, silent, [other]), [other])
  t.strictSame(await presence.insertPresences(store, node, [one]), [], 'they are there already')

  const list = async (limit = 9) => {
    const rows = await presence.selectPresences(store, 'a', { silence: SILENCE_MS, limit })
    return rows.map(({ client }) => client)
  }
  const count = () => presence.selectPresenceCount(store, 'a', SILENCE_MS)
  const counts = (limit: number) => presence.countPresences(store, ['a', 'b', 'c'], limit)
  const gone = () => presence.deleteGone(store, SILENCE_MS)
  t.strictSame(await list(), [one.client, two.client, other.client])
  t.strictSame(await list(2), [one.client, two.client])
  t.strictSame(await count(), { clients: 3, callers: 2 })
  t.strictSame(Object.fromEntries(await counts(9)), { a: 3, b: 1, c: 0 })
  t.strictSame(Object.fromEntries(await counts(2)), { a: 2, b: 1, c: 0 })

  await presence.endPresences(store, [one], [SILENCE_MS])
  t.strictSame(await gone(), [], 'they may come back')
  t.strictSame(await presence.insertPresences(store, node, [one]), [], 'they are back')
  const left = () => db.query('SELECT FROM realtime_presence WHERE leaves_at IS NOT NULL')
  t.equal((await left()).length, 0)
  await presence.endPresences(store, [one, two], [0, SILENCE_MS])
  t.equal((await left()).length, 2, 'nobody else')
  t.strictSame(await gone(), [one])

  t.equal(await presence.updateNode(store, node), true)
  await db.query("UPDATE realtime_nodes SET seen_at = now() - interval '61 seconds' WHERE id = $1", [silent])
  t.strictSame([await list(), await count()], [[two.client], { clients: 1, callers: 1 }])
  t.equal(await presence.updateNode(store, silent), true, 'it lives')
  t.strictSame(await gone(), [])
  await db.query("UPDATE realtime_nodes SET seen_at = now() - interval '61 seconds' WHERE id = $1", [silent])
  t.strictSame(await gone(), [other])
  t.equal(await presence.updateNode(store, silent), false)
  t.strictSame(Object.fromEntries(await counts(9)), { a: 1, b: 1, c: 0 })
})
