import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

t.test('rights that end elsewhere end what they allowed', async (t) => {
  const one = await createTestApp(t)
  const trusting = await startInstance(t, one.db, { APP_ROLE: 'web' })
  // Nobody tells this one of changes, as behind a pooler: it asks.
  const asking = await startInstance(t, one.db, { APP_ROLE: 'web', APP_AUTH__CACHE: 'false' })
  const urls = { 'that is told': await realtimeUrl(trusting), 'that asks': await realtimeUrl(asking) }
  const tenant = await createOrganization(one.app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const admin = await one.signUp({ role: 'admin' })

  for (const [kind, realtime] of Object.entries(urls)) {
    const listen = async () => {
      const user = await tenant.add('member')
      const ear = new Ear(t, realtime, tokenOf(user))
      await ear.to(channel)
      return { user, ear }
    }

    await t.test(`an ended session, at an instance ${kind}`, async (t) => {
      const { user, ear } = await listen()
      const other = await listen()
      t.equal((await one.request({ method: 'POST', url: '/api/v1/auth/logout', as: user })).statusCode, 204)
      await eventually(async () => ear.happened.includes('disconnected 3500'))
      t.equal(other.ear.client.state, 'connected')
    })

    await t.test(`a deactivated user, at an instance ${kind}`, async (t) => {
      const { user, ear } = await listen()
      const answer = await one.request({
        ...{ method: 'PATCH', url: `/api/v1/users/${user.user.id}`, as: admin },
        payload: { is_active: false },
      })
      t.equal(answer.statusCode, 200, answer.body)
      await eventually(async () => ear.happened.includes('disconnected 3500'))
    })

    await t.test(`an impersonation that is stopped, at an instance ${kind}`, async (t) => {
      const { user, ear } = await listen()
      const post = (path: string, payload: object) =>
        one.request({ method: 'POST', url: `/api/v1/operations/impersonations${path}`, as: admin, payload })
      const started = await post('', { user_id: user.user.id, minutes: 5, reason: 'Ticket 4711' })
      t.equal(started.statusCode, 200, started.body)
      const { impersonation, tokens } = started.json()
      const acting = new Ear(t, realtime, tokens.access_token)
      await acting.to(channel)
      const { id } = await tenant.createProject()
      t.ok(await acting.heard(channel, [id]), 'it hears what the user hears')
      t.equal((await post(`/${impersonation.id}/stop`, { reason: 'Seen enough' })).statusCode, 200)
      await eventually(async () => acting.happened.includes('disconnected 3500'))
      t.equal(ear.client.state, 'connected', "the user's own goes on")
    })

    await t.test(`a removed member, at an instance ${kind}`, async (t) => {
      const { user, ear } = await listen()
      const other = await listen()
      const own = await new Ear(t, realtime, tokenOf(user)).ready()
      const url = `${tenant.url}/members/${user.user.id}`
      t.equal((await one.request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
      await eventually(async () => ear.happened.includes('connecting 4000'))
      t.same(ear.happened, ['connecting 0', 'unsubscribed 2000', 'connecting 4000'])
      await eventually(async () => own.happened.includes('connecting 4000'))
      await own.ready()
      const { id } = await tenant.createProject()
      t.ok(await other.ear.heard(channel, [id]), 'others hear what comes')
      t.notOk(ear.told.some(({ subject }) => subject === id))
    })
  }

  await t.test('a suspended organization', async (t) => {
    const ear = new Ear(t, urls['that is told'], tokenOf(tenant.owner))
    await ear.to(channel)
    const url = `/api/v1/operations/organizations/${tenant.organization.id}/suspend`
    const payload = { reason: 'Ticket 4711' }
    t.equal((await one.request({ method: 'POST', url, as: admin, payload })).statusCode, 200)
    await eventually(async () => ear.happened.includes('unsubscribed 2000'))
  })
})
