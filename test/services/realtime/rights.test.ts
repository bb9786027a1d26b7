import t from 'tap'
import { Message } from '#services/realtime/message.ts'
import { ENDINGS } from '#services/realtime/protocol.ts'
import type { Callers } from '#services/realtime/rights.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { tokenOf } from '#test/support/realtime.ts'
import { createHub, openClient } from './hub.ts'

t.test('what comes after a while in which changes of rights were not heard of', async (t) => {
  const { app, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  let isInformed = true
  let load: Callers['load'] = async (listener) => listener
  let isMember: Callers['isMember'] = async () => true
  let loads = 0
  const hub = await createHub(t, app, {
    isInformed: () => isInformed,
    async load(listener) {
      loads++
      return load(listener)
    },
    isMember: (...asked) => isMember(...asked),
  })
  const user = await signUp()
  const channel = `user:${user.user.id}`

  /** A client that was checked long ago, and what it hears of a message and of questions. */
  const open = async () => {
    isInformed = true
    const { client, frames, endings } = openClient(t, app, hub)
    client.receive(JSON.stringify({ id: 1, connect: { token: tokenOf(user) } }))
    await eventually(async () => frames.length === 1)
    client.checkedAt = performance.now() - 2000
    frames.length = 0
    loads = 0
    const tell = async () => {
      const offset = (client.subscriptions.get(channel)?.offset ?? 0) + 1
      await hub.deliver([new Message({ channel, offset, data: '{"told":true}' })])
    }
    return { client, frames, endings, tell, heard: () => frames.filter((frame) => frame.includes('told')) }
  }

  await t.test('is told to somebody who is asked for, and found to be who it was', async (t) => {
    const { tell, heard } = await open()
    isInformed = false
    load = async (listener) => listener
    await tell()
    t.equal(heard().length, 1)
    await tell()
    t.equal(heard().length, 2)
    t.equal(loads, 1, 'a check says enough for a second')
  })

  await t.test('is not told to somebody whose session has ended meanwhile', async (t) => {
    const { client, tell, heard, endings } = await open()
    isInformed = false
    load = async () => undefined
    await tell()
    t.same(heard(), [])
    t.same(endings, [ENDINGS.sessionEnded])
    t.equal(client.isEnded, true)
  })

  await t.test('is not told to somebody of whom it cannot be found out', async (t) => {
    const { tell, heard, endings } = await open()
    isInformed = false
    load = async () => Promise.reject(new Error('the database is away'))
    await tell()
    t.same(heard(), [])
    t.same(endings, [ENDINGS.insufficientState], 'it connects again, and is told then')
  })

  await t.test('nor is history, nor another channel', async (t) => {
    const { client, frames } = await open()
    isInformed = false
    load = async () => Promise.reject(new Error('the database is away'))
    client.receive(JSON.stringify({ id: 2, history: { channel, limit: 10 } }))
    await eventually(async () => frames.length === 1)
    t.match(JSON.parse(frames[0] ?? ''), { id: 2, error: { code: 100 } })
    client.receive(JSON.stringify({ id: 3, subscribe: { channel: `organizations:${user.user.id}` } }))
    await eventually(async () => frames.length === 2)
    t.match(JSON.parse(frames[1] ?? ''), { id: 3, error: { code: 100 } })
  })

  await t.test('waits for a check, when a change was just heard of', async (t) => {
    const { tell, heard, endings } = await open()
    const gate = Promise.withResolvers<undefined>()
    load = () => gate.promise
    hub.rights.forgetUser(user.user.id)
    const telling = tell()
    t.same(heard(), [])
    gate.resolve(undefined)
    await telling
    t.same(heard(), [])
    t.same(endings, [ENDINGS.sessionEnded])
  })

  await t.test(
    'is told to somebody who sends another token while the session before is asked for',
    async (t) => {
      const { client, frames, tell, heard, endings } = await open()
      const gate = Promise.withResolvers<undefined>()
      const { sessionId } = await sessionRecords.open(app.ctx, user.user)
      const other = app.tokens.issue(user.user, sessionId)
      load = (listener) =>
        listener.kind === 'user' && listener.sessionId === user.session_id
          ? gate.promise
          : Promise.resolve(listener)
      hub.rights.forgetUser(user.user.id)
      client.receive(JSON.stringify({ id: 2, refresh: { token: other } }))
      await eventually(async () => frames.some((frame) => frame.includes('"id":2')))
      gate.resolve(undefined)
      await tell()
      t.equal(heard().length, 1)
      t.same(endings, [], 'the session that has ended is another one')
    },
  )

  await t.test('while changes are heard of, nobody is asked for', async (t) => {
    const { tell, heard } = await open()
    load = async () => undefined
    await tell()
    t.equal(heard().length, 1)
    t.equal(loads, 0)
  })

  await t.test('that the user was removed has connections begin again that came before', async (t) => {
    load = async (listener) => listener
    const early = await open()
    const removed = (at: Date) => {
      const offset = (early.client.subscriptions.get(channel)?.offset ?? 0) + 1
      const subject = { type: 'user', id: user.user.id }
      const data = JSON.stringify({ type: 'members.removed', timestamp: at.toISOString(), subject })
      return hub.deliver([new Message({ channel, offset, data })])
    }
    await removed(new Date(early.client.since - 1))
    await hub.rights.recheck(early.client)
    t.same(early.endings, [], 'it has the rights of now')
    await removed(new Date(early.client.since))
    await eventually(async () => early.endings.length > 0)
    t.same(early.endings, [ENDINGS.rightsChanged])
    t.equal(early.frames.filter((frame) => frame.includes('members.removed')).length, 2, 'it knows why')
  })

  await t.test('nor can it stay when it cannot be found out what it may hear now', async (t) => {
    const { client, endings } = await open()
    load = async () => Promise.reject(new Error('the database is away'))
    const subject = { type: 'user', id: user.user.id }
    const data = JSON.stringify({ type: 'members.removed', timestamp: new Date().toISOString(), subject })
    await hub.deliver([new Message({ channel: 'organizations:x', offset: 1, data })])
    await eventually(async () => client.isEnded)
    t.same(endings, [ENDINGS.rightsChanged])
  })

  await t.test('a membership that is heard to have ended has all connections begin again', async (t) => {
    load = async (listener) => listener
    for (const [kind, expected] of Object.entries({
      there: [],
      gone: [ENDINGS.rightsChanged],
      unknown: [],
    })) {
      const { client, endings } = await open()
      isMember = async () => {
        if (kind === 'unknown') throw new Error('the database is away')
        return kind === 'there'
      }
      hub.rights.forgetMember('an organization', user.user.id)
      await hub.rights.recheck(client)
      t.same(endings, expected, kind)
      isMember = async () => false
      await hub.rights.recheck(client)
      // What could not be found out is asked again.
      if (kind === 'unknown') t.same(endings, [ENDINGS.rightsChanged])
    }
  })
})
