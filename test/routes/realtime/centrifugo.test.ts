// Among the first, because it takes long.

import t from 'tap'
import { CentrifugoApi, publishing } from '#services/realtime/centrifugo/api.ts'
import { placeCentrifugo, WITHOUT_CENTRIFUGO } from '#test/support/centrifugo.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, published, realtimeUrl, tokenOf } from '#test/support/realtime.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

const SETTINGS = {
  APP_REALTIME__ENGINE: 'centrifugo',
  APP_REALTIME__CENTRIFUGO__URL: 'http://127.0.0.1:9',
  APP_REALTIME__CENTRIFUGO__API_KEY: 'a key',
  APP_REALTIME__CENTRIFUGO__PROXY_SECRET: 'the secret of a test, which is long enough',
}

t.test('a cluster that is not there', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, SETTINGS)
  const user = await signUp()
  await eventually(
    async () => (await db.query('SELECT FROM events WHERE fanned_out_at IS NULL')).length === 0,
  )
  t.not((await db.query('SELECT FROM events WHERE realtime_at IS NULL')).length, 0, 'events wait')
  t.match((await app.inject('/metrics')).body, /^realtime_centrifugo_up 0$/m)
  const url = `/realtime/events?channels=user:${user.user.id}`
  expectProblem(t, await request({ url, as: user }), { status: 404, code: 'realtime_disabled' })
})

t.test('a cluster in trouble', { skip: WITHOUT_CENTRIFUGO }, async (t) => {
  const centrifugo = await placeCentrifugo(t)
  const one = await createTestApp(t, { ...centrifugo.settings, APP_REALTIME__CENTRIFUGO__RECHECK: '5s' })
  const service = (await realtimeUrl(one.app)).replace('ws:', 'http:').replace(/\/realtime$/, '')
  await centrifugo.start(service)
  const tenant = await createOrganization(one.app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const listen = async () => {
    const user = await tenant.add('member')
    const ear = new Ear(t, centrifugo.url, async () => tokenOf(user))
    await ear.to(channel)
    return { ear, user }
  }
  const create = async () => (await tenant.createProject()).id

  await t.test('that hangs: events wait, and come once and in order', async (t) => {
    const { ear } = await listen()
    const ids = [await create()]
    t.ok(await ear.heard(channel, ids))
    centrifugo.pause()
    for (let index = 0; index < 5; index++) ids.push(await create())
    // Long enough for a request that is given up, and is done by Centrifugo when it goes on.
    await eventually(async () =>
      one.logLines.some((line) => line.includes('could not pass on events to realtime')),
    )
    centrifugo.resume()
    t.ok(await ear.heard(channel, ids))
    await published(one.db)
    t.equal(ear.told.length, ids.length)
    ear.client.disconnect()
  })

  await t.test('that forgets all: clients come back, and load again', async (t) => {
    const { ear } = await listen()
    const before = await create()
    t.ok(await ear.heard(channel, [before]))
    await centrifugo.kill()
    await eventually(async () => ear.client.state === 'connecting')
    const meanwhile = await create()
    await centrifugo.start(service)
    await eventually(async () => ear.recoveries.length > 1)
    t.equal(ear.recoveries[1], false)
    await published(one.db)
    const after = await create()
    await eventually(async () => ear.told.some(({ subject }) => subject === after))
    t.not(meanwhile, after)
    ear.client.disconnect()
  })

  await t.test('rights that end while it hangs end when it goes on', async (t) => {
    const { ear, user } = await listen()
    const url = `${tenant.url}/members/${user.user.id}`
    centrifugo.pause()
    t.equal((await one.request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
    centrifugo.resume()
    await eventually(async () => ear.happened.includes('unsubscribed 103'))
    await create()
    await published(one.db)
    t.same(ear.told, [])
    ear.client.disconnect()
  })

  await t.test('what no event tells of is found at the next question', async () => {
    const [ended, removed] = [await listen(), await listen()]
    await one.db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [ended.user.session_id])
    await one.db.query('DELETE FROM memberships WHERE user_id = $1', [removed.user.user.id])
    await eventually(async () => ended.ear.happened.includes('disconnected 3500'))
    await eventually(async () => removed.ear.happened.some((line) => line.startsWith('unsubscribed')))
  })

  await t.test('what it refuses is an error, after what it has done', async (t) => {
    const { settings } = centrifugo
    const url = settings['APP_REALTIME__CENTRIFUGO__URL'] ?? ''
    const api = new CentrifugoApi({ url, key: settings['APP_REALTIME__CENTRIFUGO__API_KEY'] ?? '' })
    const good = publishing(channel, '{}', 'one')
    const bad = publishing('nothing:x', '{}', 'two')
    t.equal(await api.run([good, bad, good]), 1)
    t.equal(await api.run([good]), 1)
    await t.rejects(api.run([bad]), { code: 'centrifugo_error_102' })
    t.ok(api.isUp)
    const stranger = new CentrifugoApi({ url, key: 'another' })
    await t.rejects(stranger.check(), { code: 'centrifugo_status_401' })
    t.notOk(stranger.isUp)
    await t.rejects(new CentrifugoApi({ url: 'http://127.0.0.1:9', key: '' }).check(), {
      code: 'centrifugo_unreachable',
    })
  })
})

t.test('a session that ends while Centrifugo lets somebody in', { skip: WITHOUT_CENTRIFUGO }, async (t) => {
  const centrifugo = await placeCentrifugo(t)
  const one = await createTestApp(t, { ...centrifugo.settings, APP_REALTIME__CENTRIFUGO__RECHECK: '1h' })
  const proxy = await startProxy(t, (await realtimeUrl(one.app)).replace('ws:', 'http:'))
  await centrifugo.start(new URL(proxy.url).origin)
  const user = await one.signUp()
  await published(one.db)
  // The service has answered, and Centrifugo does not know it yet.
  proxy.delay(300)
  const ear = new Ear(t, centrifugo.url, async () => tokenOf(user))
  await eventually(async () => one.logLines.some((line) => line.includes('/realtime/centrifugo/connect')))
  await one.request({ method: 'POST', url: '/api/v1/auth/logout', as: user })
  await eventually(async () => ear.happened.includes('disconnected 3500'))
})
