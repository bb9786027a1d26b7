import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, openRaw, published, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

t.test('what happens at one instance is told at another', async (t) => {
  const one = await createTestApp(t)
  const lines: string[] = []
  const other = await startInstance(
    t,
    one.db,
    { APP_ROLE: 'web', APP_REALTIME__HISTORY_SIZE: '5', APP_LOG__LEVEL: 'trace' },
    (line) => lines.push(line),
  )
  const url = await realtimeUrl(other)
  const metric = async (name: string) => (await other.metrics.getSingleMetricAsString(name)).trim()
  const tenant = await createOrganization(one.app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const users: TestUser[] = [tenant.owner]
  const member = async () => {
    const user = await tenant.add('member')
    users.push(user)
    return user
  }
  const create = async (count: number) => {
    const ids: string[] = []
    for (let index = 0; index < count; index++) ids.push((await tenant.createProject()).id)
    return ids
  }

  await t.test('in its order, and to those who listen', async (t) => {
    const ear = new Ear(t, url, tokenOf(await member()))
    await ear.to(channel)
    const ids = await create(3)
    t.ok(await ear.heard(channel, ids))
    const [first] = ear.told
    const offsets = ear.told.map(({ offset }) => offset)
    t.same(
      offsets,
      [0, 1, 2].map((index) => index + (first?.offset ?? 0)),
      'without a gap',
    )
    t.equal(first?.type, 'projects.created')
    t.match(await metric('realtime_connections'), /\{transport="websocket"\} 1\n.*\{transport="sse"\} 0$/)
    t.match(await metric('realtime_subscriptions'), /^realtime_subscriptions [1-9]\d*$/m)
    t.match(await metric('realtime_reader_silence_seconds'), /^realtime_reader_silence_seconds \d\S*$/m)
  })

  await t.test('what is undone is not told', async (t) => {
    const ear = new Ear(t, url, tokenOf(await member()))
    await ear.to(channel)
    const [taken = ''] = await create(1)
    const project = (await one.request({ url: `${tenant.url}/projects/${taken}`, as: tenant.owner })).json()
    // The name is taken, which the statement that also writes the event finds out.
    const refused = await one.request({
      ...{ method: 'POST', url: `${tenant.url}/projects`, as: tenant.owner },
      payload: { name: project.name },
    })
    t.equal(refused.statusCode, 409)
    const [next = ''] = await create(1)
    t.ok(await ear.heard(channel, [taken, next]))
  })

  await t.test('who comes back gets what it missed, and nothing twice', async (t) => {
    const ear = new Ear(t, url, tokenOf(await member()))
    await ear.to(channel)
    const ids = await create(2)
    await ear.heard(channel, ids)
    ear.client.disconnect()
    ids.push(...(await create(4)))
    ear.client.connect()
    await ear.ready()
    ids.push(...(await create(1)))
    t.ok(await ear.heard(channel, ids))
    t.same(ear.recoveries, [undefined, true])
    t.match(await metric('realtime_recoveries_total'), /outcome="recovered"\} [1-9]/)
  })

  await t.test('who missed more than is kept has to load again', async (t) => {
    const ear = new Ear(t, url, tokenOf(await member()))
    const subscription = await ear.to(channel)
    const ids = await create(1)
    await ear.heard(channel, ids)
    ear.client.disconnect()
    await create(6)
    // Or it would come as news.
    await published(one.db)
    ear.client.connect()
    await subscription.ready()
    const [last = ''] = await create(1)
    t.ok(await ear.heard(channel, [...ids, last]))
    t.same(ear.recoveries, [undefined, false])
    t.match(await metric('realtime_recoveries_total'), /outcome="reload"\} [1-9]/)
  })

  await t.test('who says to have been where nobody was has to load again', async (t) => {
    const token = tokenOf(await member())
    const raw = await openRaw(t, url, [JSON.stringify({ id: 1, connect: { token } })])
    await raw.reply(1)
    for (const [index, offset] of [1_000_000, Number.MAX_SAFE_INTEGER, 1e300].entries()) {
      const id = 2 * index + 2
      raw.socket.send(JSON.stringify({ id, subscribe: { channel, recover: true, offset, epoch: 'x' } }))
      t.match(await raw.reply(id), { subscribe: { was_recovering: true, recovered: false } }, String(offset))
      raw.socket.send(JSON.stringify({ id: id + 1, unsubscribe: { channel } }))
      await raw.reply(id + 1)
    }
    raw.socket.close()
  })

  await t.test('when PostgreSQL has lost the messages, everybody has to load again', async (t) => {
    const ear = new Ear(t, url, tokenOf(await member()))
    await ear.to(channel)
    await ear.heard(channel, await create(1))
    await one.db.query('TRUNCATE realtime_state, realtime_channels, realtime_messages')
    await eventually(async () => ear.recoveries.length > 1 && ear.client.state === 'connected')
    t.same(new Set(ear.recoveries.slice(1)), new Set([false]))
    const before = ear.told.length
    await create(1)
    await eventually(async () => ear.told.length > before)
  })

  await t.test('a channel that there is not, and one that is not yours, are the same', async (t) => {
    const ear = new Ear(t, url, tokenOf(await one.signUp()))
    const names = [
      channel,
      `organizations:${uuidv7()}:projects`,
      'nothing',
      `user:${tenant.owner.user.id}`,
      'x'.repeat(300),
    ]
    for (const name of names) await ear.to(name)
    t.same(
      ear.happened.slice(1),
      names.map(() => 'unsubscribed 103'),
    )
    await create(1)
    await published(one.db)
    t.same(ear.told, [])
  })

  await t.test('your own channel comes by itself, and is recovered', async (t) => {
    const user = await member()
    // Or the sign-in would come as news.
    await published(one.db)
    const ear = await new Ear(t, url, tokenOf(user)).ready()
    const own = `user:${user.user.id}`
    const rename = async (username: string) => {
      const answer = await one.request({
        method: 'PATCH',
        url: '/api/v1/users/me',
        payload: { username },
        as: user,
      })
      t.equal(answer.statusCode, 200, answer.body)
    }
    await rename(uuidv7().slice(-12))
    t.ok(await ear.heard(own, [user.user.id]))
    ear.client.disconnect()
    await rename(uuidv7().slice(-12))
    ear.client.connect()
    t.ok(await ear.heard(own, [user.user.id, user.user.id]))
  })

  await t.test('commands beside listening', async (t) => {
    const user = await member()
    const ear = new Ear(t, url, tokenOf(user))
    const subscription = await ear.to(channel)
    const ids = await create(6)
    t.ok(await ear.heard(channel, ids))
    const ofHistory = async (options: object) =>
      (await subscription.history(options)).publications.map(({ data }) => data.subject.id)
    t.same(await ofHistory({ limit: 2, reverse: true }), [ids[5], ids[4]])
    const { offset = 0, epoch = '' } = await subscription.history({ limit: 0 })
    t.same(await ofHistory({ limit: -1, since: { offset: offset - 2, epoch } }), ids.slice(4))
    await t.rejects(subscription.history({ limit: 1, since: { offset: 0, epoch } }), { code: 112 })
    await t.rejects(subscription.history({ limit: 1, since: { offset, epoch: 'another' } }), { code: 112 })
    await t.rejects(ear.client.history('organizations:x', { limit: 1 }), { code: 103 })
    await t.rejects(subscription.publish({}), { code: 103 })
    const own = `user:${user.user.id}`
    await t.rejects(ear.client.presence(own), { code: 108 }, 'a channel without presence')
    await t.rejects(ear.client.presenceStats('nothing'), { code: 103 })
    await t.rejects(ear.client.rpc('anything', {}), { code: 104 })
    await ear.client.send({})
    subscription.unsubscribe()
    await create(1)
    await published(one.db)
    t.equal(ear.told.length, ids.length, 'nothing after it has unsubscribed')
  })

  await t.test('a token is replaced without connecting again', async (t) => {
    const user = await member()
    const token = tokenOf(user)
    const { reply, socket } = await openRaw(t, url, [JSON.stringify({ id: 1, connect: { token } })])
    const { connect } = await reply(1)
    t.match(connect, { expires: true, ping: 25, pong: true, ttl: Number })
    socket.send(
      JSON.stringify({ id: 2, refresh: { token: one.app.tokens.issue(user.user, user.session_id) } }),
    )
    socket.send('{"id":3,"ping":{}}\n{}\n')
    t.match(await reply(2), { id: 2, refresh: { client: connect?.client, ttl: Number } })
    t.same(await reply(3), { id: 3, ping: {} })
    const stranger = await member()
    socket.send(JSON.stringify({ id: 4, refresh: { token: tokenOf(stranger) } }))
    await eventually(async () => socket.readyState === socket.CLOSED)
  })

  await t.test('no token and no signature is in any log', async (t) => {
    const log = [...one.logLines, ...lines].join('\n')
    t.match(log, /realtime connection ended/)
    for (const user of users) {
      const [, , signature = ''] = tokenOf(user).split('.')
      t.notOk(log.includes(signature))
    }
  })
})
