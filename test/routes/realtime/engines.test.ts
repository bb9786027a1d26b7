// Among the first, because it takes long.

import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { ENGINES } from '#test/support/engines.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, published, tokenOf } from '#test/support/realtime.ts'

for (const [engine, { skip, start }] of Object.entries(ENGINES)) {
  t.test(`clients and the engine ${engine}`, { skip }, async (t) => {
    const one = await start(t)
    const { url, request, centrifugo } = one
    const tenant = await createOrganization(one.app)
    const org = tenant.organization.id
    const channel = `organizations:${org}:projects`
    const admin = await one.signUp({ role: 'admin' })
    const listen = async (user: Pick<TestUser, 'headers'>, ...names: string[]) => {
      const ear = new Ear(t, url, async () => tokenOf(user))
      for (const name of names) await ear.to(name, { joinLeave: true })
      return ear
    }
    const create = async (count: number) => {
      const ids: string[] = []
      for (let index = 0; index < count; index++) ids.push((await tenant.createProject()).id)
      return ids
    }
    const removed = (ear: Ear) => ear.happened.some((line) => /^unsubscribed (2000|103)$/.test(line))

    await t.test('tell in order what happened, and again what was missed', async (t) => {
      const ear = await listen(await tenant.add('member'), channel)
      const ids = await create(3)
      t.ok(await ear.heard(channel, ids))
      ear.client.disconnect()
      ids.push(...(await create(4)))
      await published(one.db)
      ear.client.connect()
      await ear.ready()
      ids.push(...(await create(1)))
      t.ok(await ear.heard(channel, ids))
      t.same(ear.recoveries, [undefined, true])
      const [first = 0] = ear.told.map(({ offset }) => offset)
      t.same(
        ear.told.map(({ offset }) => offset - first),
        ids.map((_, index) => index),
        'without a gap',
      )
      ear.client.disconnect()
    })

    await t.test('have a history for those who listen', async (t) => {
      const ear = await listen(await tenant.add('member'))
      const subscription = await ear.to(channel)
      const ids = await create(3)
      t.ok(await ear.heard(channel, ids))
      const { publications } = await subscription.history({ limit: 2, reverse: true })
      t.same(
        publications.map(({ data }) => data.subject.id),
        [ids[2], ids[1]],
      )
      await t.rejects(ear.client.history(`organizations:${uuidv7()}`, { limit: 1 }), { code: 103 })
      await t.rejects(subscription.publish({}), { code: 103 })
      ear.client.disconnect()
    })

    await t.test('refuse what is not there, and what is not yours, alike', async (t) => {
      const ear = await listen(await one.signUp())
      const names = [channel, `organizations:${uuidv7()}`, `organizations:x`, `user:${tenant.owner.user.id}`]
      for (const name of names) await ear.to(name)
      t.same(
        ear.happened.slice(1),
        names.map(() => 'unsubscribed 103'),
      )
      ear.client.disconnect()
    })

    await t.test('bring your own channel by itself, and again what was missed', async (t) => {
      const user = await tenant.add('member')
      await published(one.db)
      const ear = await (await listen(user)).ready()
      const own = `user:${user.user.id}`
      const rename = async () => {
        const payload = { username: uuidv7().slice(-12) }
        const answer = await request({ method: 'PATCH', url: '/api/v1/users/me', payload, as: user })
        t.equal(answer.statusCode, 200, answer.body)
      }
      await rename()
      t.ok(await ear.heard(own, [user.user.id]))
      ear.client.disconnect()
      await rename()
      await published(one.db)
      ear.client.connect()
      t.ok(await ear.heard(own, [user.user.id, user.user.id]))
      ear.client.disconnect()
    })

    await t.test('tell who else listens, and who comes and goes', async (t) => {
      const name = `organizations:${org}`
      const [user, other] = [await tenant.add('member'), await tenant.add('member')]
      const ear = await listen(user)
      const subscription = await ear.to(name, { joinLeave: true })
      const second = await listen(other, name)
      await eventually(async () => ear.presences.includes(`join ${other.user.id}`))
      const { clients } = await subscription.presence()
      const users = Object.values(clients).map((client) => client.user)
      t.same(users.sort(), [user.user.id, other.user.id].sort())
      t.match(await subscription.presenceStats(), { numClients: 2, numUsers: 2 })
      second.client.disconnect()
      await eventually(async () => ear.presences.includes(`leave ${other.user.id}`))
      ear.client.disconnect()
    })

    await t.test('end what an ended session and a deactivated user heard', async (t) => {
      const [leaving, inactive, staying] = [
        await tenant.add('member'),
        await tenant.add('member'),
        await tenant.add('member'),
      ]
      const [gone, off, here] = [
        await listen(leaving, channel),
        await listen(inactive, channel),
        await listen(staying, channel),
      ]
      await request({ method: 'POST', url: '/api/v1/auth/logout', as: leaving })
      await eventually(async () => gone.happened.includes('disconnected 3500'))
      const change = { method: 'PATCH', payload: { is_active: false }, as: admin } as const
      const answer = await request({ ...change, url: `/api/v1/users/${inactive.user.id}` })
      t.equal(answer.statusCode, 200, answer.body)
      await eventually(async () => off.happened.includes('disconnected 3500'))
      const ids = await create(1)
      t.ok(await here.heard(channel, ids))
      t.same(gone.told, [])
      t.same(off.told, [])
      here.client.disconnect()
    })

    await t.test('end what a removed member heard', async (t) => {
      const [member, other] = [await tenant.add('member'), await tenant.add('member')]
      const [ear, here] = [await listen(member, channel), await listen(other, channel)]
      const url = `${tenant.url}/members/${member.user.id}`
      t.equal((await request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
      await eventually(async () => removed(ear))
      const ids = await create(2)
      t.ok(await here.heard(channel, ids))
      t.same(ear.told, [])
      await ear.ready()
      for (const { client } of [ear, here]) client.disconnect()
    })

    await t.test('tell a removed member nothing that comes after, however much comes', async (t) => {
      for (let round = 0; round < 5; round++) {
        const [member, other] = [await tenant.add('member'), await tenant.add('member')]
        const [ear, here] = [await listen(member, channel), await listen(other, channel)]
        let isOver = false
        const [before, after]: [string[], string[]] = [[], []]
        const create = async () => {
          while (!isOver) {
            const list = isRemoved ? after : before
            const { id } = await tenant.createProject()
            list.push(id)
          }
        }
        let isRemoved = false
        const creating = [create(), create(), create()]
        await eventually(async () => before.length > 3)
        const url = `${tenant.url}/members/${member.user.id}`
        t.equal((await request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
        isRemoved = true
        await eventually(async () => after.length > 10 && removed(ear))
        isOver = true
        await Promise.all(creating)
        await eventually(async () => after.every((id) => here.told.some(({ subject }) => subject === id)))
        const late = ear.told.filter(({ subject }) => after.includes(subject))
        // The embedded engine hears of the two by different ways, and promises a second.
        if (centrifugo) t.same(late, [], 'nothing whose request came after the answer')
        const { id } = await tenant.createProject()
        await eventually(async () => here.told.some(({ subject }) => subject === id))
        t.notOk(ear.told.some(({ subject }) => subject === id))
        for (const { client } of [ear, here]) client.disconnect()
      }
    })

    await t.test('tell admins how the service is, and nobody else', async (t) => {
      const name = 'operations:health'
      const second = await one.signUp({ role: 'admin' })
      let { refresh_token } = second
      // As pages do: where a token is refused, the next one says the role of now.
      const leaving = new Ear(t, url, async () => {
        const payload = { refresh_token }
        const tokens = (await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })).json()
        refresh_token = tokens.refresh_token
        return tokens.access_token
      })
      await leaving.to(name, { joinLeave: true })
      const ear = await listen(admin, name)
      const health = ({ told }: Ear) => told.filter(({ type }) => type === 'operations.health')
      await eventually(async () => health(ear).length > 0 && health(leaving).length > 0)
      for (const user of [await tenant.add('member'), await tenant.createApiKey()])
        t.ok(removed(await listen(user, name)), 'it is not there for others')
      const change = {
        url: `/api/v1/operations/users/${second.user.id}`,
        as: admin,
        method: 'PATCH',
      } as const
      await request({ ...change, payload: { role: 'user', reason: 'a test' } })
      await eventually(async () => removed(leaving))
      t.notOk(removed(ear))
      for (const { client } of [ear, leaving]) client.disconnect()
    })

    await t.test('let API keys listen until they are revoked', async (t) => {
      const key = await tenant.createApiKey({ scopes: ['projects:read'] })
      const ear = await listen(key, channel, `organizations:${org}:files`)
      t.same(ear.happened, ['connecting 0', 'unsubscribed 103'])
      const ids = await create(1)
      t.ok(await ear.heard(channel, ids))
      await request({ method: 'DELETE', url: `${tenant.url}/api-keys/${key.id}`, as: tenant.owner })
      await eventually(async () => ear.happened.includes('disconnected 3500'))
    })

    await t.test('refuse an invalid token', async (t) => {
      for (const token of ['', 'x', 'a.b.c', 'gwk_0']) {
        const ear = new Ear(t, url, async () => token)
        await eventually(async () => ear.happened.includes('disconnected 3500'))
      }
    })

    await t.test('end what the members of a suspended organization heard', async () => {
      const other = await createOrganization(one.app)
      const ears = [
        await listen(await other.add('member'), `organizations:${other.organization.id}`),
        await listen(other.owner, `organizations:${other.organization.id}`),
      ]
      await request({
        ...{ method: 'POST', as: admin },
        url: `/api/v1/operations/organizations/${other.organization.id}/suspend`,
        payload: { reason: 'a test' },
      })
      for (const ear of ears) await eventually(async () => removed(ear))
      for (const { client } of ears) client.disconnect()
    })

    await t.test('no token is in any log', async (t) => {
      const log = [...one.logLines, one.centrifugo?.log() ?? ''].join('\n')
      const [, , signature = 'none'] = tokenOf(tenant.owner).split('.')
      t.notOk(log.includes(signature))
    })
  })
}
