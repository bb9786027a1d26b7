import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, openRaw, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

t.test('API keys listen', async (t) => {
  const one = await createTestApp(t)
  const trusting = await startInstance(t, one.db, { APP_ROLE: 'web' })
  const asking = await startInstance(t, one.db, { APP_ROLE: 'web', APP_AUTH__CACHE: 'false' })
  const urls = { 'that is told': await realtimeUrl(trusting), 'that asks': await realtimeUrl(asking) }
  const tenant = await createOrganization(one.app)
  const channel = `organizations:${tenant.organization.id}:projects`

  for (const [kind, url] of Object.entries(urls)) {
    const listen = async (...[input]: Parameters<typeof tenant.createApiKey>) => {
      const key = await tenant.createApiKey(input)
      const ear = new Ear(t, url, tokenOf(key))
      await ear.to(channel)
      return { key, ear, url: `${tenant.url}/api-keys/${key.id}` }
    }

    await t.test(`to what their scopes allow, at an instance ${kind}`, async (t) => {
      const { ear } = await listen({ scopes: ['projects:read'] })
      for (const name of [`organizations:${tenant.organization.id}:files`, `user:${tenant.owner.user.id}`])
        await ear.to(name)
      t.same(ear.happened, ['connecting 0', 'unsubscribed 103', 'unsubscribed 103'])
      const { id } = await tenant.createProject()
      t.ok(await ear.heard(channel, [id]))
      const other = await createOrganization(one.app)
      await ear.to(`organizations:${other.organization.id}:projects`)
      t.equal(ear.happened.length, 4, 'and not to another organization')
    })

    await t.test(`until they are revoked, at an instance ${kind}`, async (t) => {
      const { ear, url } = await listen()
      const other = await listen()
      const answer = await one.request({ method: 'DELETE', url, as: tenant.owner })
      t.equal(answer.statusCode, 204)
      await eventually(async () => ear.happened.includes('disconnected 3500'))
      t.equal(other.ear.client.state, 'connected')
    })

    await t.test(`or lose the scope, or the network, at an instance ${kind}`, async (t) => {
      const [narrow, moved] = [await listen(), await listen()]
      const change = (url: string, payload: object) =>
        one.request({ method: 'PATCH', url, payload, as: tenant.owner })
      t.equal((await change(narrow.url, { scopes: ['members:read'] })).statusCode, 200)
      await eventually(async () => narrow.ear.happened.includes('connecting 4000'))
      t.same(narrow.ear.happened.slice(-2), ['unsubscribed 2000', 'connecting 4000'])
      await narrow.ear.ready()
      t.equal((await change(moved.url, { allowed_networks: ['192.0.2.0/24'] })).statusCode, 200)
      await eventually(async () => moved.ear.happened.includes('disconnected 3500'))
    })
  }

  await t.test('a key that does not exist, or from elsewhere', async (t) => {
    const [url] = Object.values(urls)
    const key = await tenant.createApiKey({ allowed_networks: ['192.0.2.0/24'] })
    const wrong = tokenOf(await tenant.createApiKey()).replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    for (const token of [tokenOf(key), wrong, 'gwk_0']) {
      const { ended } = await openRaw(t, url ?? '', [JSON.stringify({ id: 1, connect: { token } })])
      t.equal(await ended, 3500)
    }
  })

  await t.test('its connection has no end', async (t) => {
    const key = await tenant.createApiKey()
    const [url] = Object.values(urls)
    const raw = await openRaw(t, url ?? '', [JSON.stringify({ id: 1, connect: { token: tokenOf(key) } })])
    const { connect } = await raw.reply(1)
    t.notOk(connect && ('expires' in connect || 'subs' in connect))
  })
})
