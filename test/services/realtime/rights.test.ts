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
  let loads = 0
  const hub = await createHub(t, app, {
    isInformed: () => isInformed,
    async load(listener) {
      loads++
      return load(listener)
    },
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
})
