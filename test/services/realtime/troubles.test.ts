import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Message } from '#services/realtime/message.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import { publish } from '#services/realtime/publish.ts'
import { Reader } from '#services/realtime/reader.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { tokenOf } from '#test/support/realtime.ts'
import { createHub, openClient } from './hub.ts'

t.test('what realtime does while its tables are away', async (t) => {
  const { app, db, logs } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const warned = (text: string) => logs().some(({ msg, level }) => level === 'warn' && msg === text)
  /** Takes a table away, until it is put back or `t` ends. */
  const take = async (t: Test, table: string) => {
    let isAway = true
    await db.query(`ALTER TABLE ${table} RENAME TO away`)
    const putBack = async () => {
      if (isAway) await db.query(`ALTER TABLE away RENAME TO ${table}`)
      isAway = false
    }
    t.teardown(putBack)
    return putBack
  }

  await t.test('a client is asked to try again', async (t) => {
    const hub = await createHub(t, app)
    const { client, frames, endings } = openClient(t, app, hub)
    let id = 0
    const ask = async (command: object) => {
      const before = frames.length
      client.receive(JSON.stringify({ id: ++id, ...command }))
      await eventually(async () => frames.length > before)
      return JSON.parse(frames[before] ?? '')
    }
    const failed = { error: { code: 100, message: 'internal server error', temporary: true } }
    t.match(await ask({ connect: { token: tokenOf(tenant.owner) } }), { connect: {} })

    const putBack = await take(t, 'realtime_channels')
    t.same(await ask({ subscribe: { channel } }), { id, ...failed })
    t.ok(warned('could not answer a listener in realtime'))
    t.notOk(client.subscriptions.has(channel))
    await putBack()
    t.match(await ask({ subscribe: { channel } }), { subscribe: { recoverable: true } })

    const putHistoryBack = await take(t, 'realtime_messages')
    t.same(await ask({ history: { channel, limit: 1 } }), { id, ...failed })
    await putHistoryBack()
    t.match(await ask({ history: { channel, limit: 1 } }), { history: { publications: [] } })

    await take(t, 'realtime_presence')
    t.same(await ask({ presence: { channel } }), { id, ...failed })
    t.same(await ask({ presence_stats: { channel } }), { id, ...failed })
    t.same(endings, [], 'the connection stays')
  })

  await t.test('who has come is not forgotten', async (t) => {
    const attendance = new Attendance(app.ctx.db, app.log)
    t.teardown(() => attendance.close())
    const [client, other] = [uuidv7(), uuidv7()]
    const presence = { org: tenant.organization.id, channel, caller: tenant.owner.user.id }
    const putBack = await take(t, 'realtime_presence')
    attendance.join({ ...presence, client })
    await t.rejects(attendance.list(channel))
    await eventually(async () => warned('could not write who is there in realtime; it is tried again'))
    attendance.join({ ...presence, client: other })
    attendance.leave(channel, other, false)
    await putBack()
    const here = (await attendance.list(channel)).map((each) => each.client)
    t.ok(here.includes(client))
    t.notOk(here.includes(other), 'the last change counts')
  })

  await t.test('what is published meanwhile is read later, and what nobody can know is said', async (t) => {
    const delivered: Message[] = []
    let losses = 0
    const reader = new Reader({
      ctx: app.ctx,
      log: app.log,
      async deliver(messages) {
        delivered.push(...messages)
      },
      lost: () => losses++,
    })
    t.teardown(() => reader.close())
    t.equal(reader.silenceMs, 0)
    const tell = async (...texts: string[]) => {
      const told = texts.map((data) => ({ channel, org: tenant.organization.id, data }))
      await new SystemDatabase(app.ctx.db).transaction((tx) => publish(tx, told))
      reader.wake()
    }
    await tell('0')
    await reader.start()
    t.ok(reader.silenceMs > 0)
    await tell('1', '2')
    await eventually(async () => delivered.length >= 2)
    const putBack = await take(t, 'realtime_messages')
    const trouble = 'could not read what is published in realtime; listeners wait'
    reader.wake()
    await eventually(async () => warned(trouble))
    await putBack()
    await tell('3')
    await eventually(async () => delivered.length >= 3)
    t.same(
      delivered.map(({ data }) => data),
      ['1', '2', '3'],
      'from its start on',
    )
    const offsets = delivered.map(({ offset }) => Number(offset))
    t.same(
      offsets,
      [0, 1, 2].map((index) => (offsets[0] ?? 0) + index),
      'counted without gaps',
    )
    t.equal(losses, 0)
    // As a crash of PostgreSQL leaves them.
    await db.query('TRUNCATE realtime_state, realtime_messages, realtime_channels')
    reader.wake()
    await eventually(async () => losses > 0)
    t.equal(losses, 1)
    await tell('4')
    await eventually(async () => delivered.length >= 4)
    t.equal(delivered.at(-1)?.data, '4')
  })
})
