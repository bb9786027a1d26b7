// Among the first, because it takes long.

import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { Ear, tokenOf } from '#test/support/realtime.ts'
import { NODES, type RealtimeNodes } from '#test/support/realtime-nodes.ts'

const channelOf = ({ organization }: TestOrganization) => `organizations:${organization.id}:projects`

/** Returns what a test does at the nodes of an engine. */
function actions(t: Test, { one, urls }: RealtimeNodes, tenant: TestOrganization) {
  const { request } = one
  return {
    async listen(user: Pick<TestUser, 'headers'>, names: readonly string[], node: 0 | 1 = 1) {
      const ear = await new Ear(t, urls[node], async () => tokenOf(user)).ready()
      for (const name of names) await ear.to(name)
      return ear
    },
    remove: ({ user }: TestUser) =>
      request({ method: 'DELETE', url: `${tenant.url}/members/${user.id}`, as: tenant.owner }),
    leave: (as: TestUser) => request({ method: 'POST', url: `${tenant.url}/leave`, as }),
    /** Has something told on the person's own channel. */
    async rename(as: TestUser) {
      const payload = { username: `u${crypto.randomUUID().slice(-12)}` }
      const answer = await request({ method: 'PATCH', url: '/api/v1/users/me', payload, as })
      if (answer.statusCode !== 200) throw new Error(answer.body)
    },
  }
}

/** Waits until an ear was closed and is back, and has lost a subscription if it had one; returns what has happened. */
async function isBack(ear: Ear, lost: boolean): Promise<string[]> {
  const isLost = () => ear.happened.some((line) => /^unsubscribed (2000|103)$/.test(line))
  await eventually(async () => ear.happened.includes('connecting 4000') && isLost() === lost)
  await ear.ready()
  return ear.happened.slice(1).toSorted()
}

const countOf = ({ toldOfUser }: Ear, type: string) => toldOfUser.filter((told) => told.type === type).length

/** Whether nothing is missing of what an ear heard on its own channel. */
const isWhole = ({ toldOfUser }: Ear) =>
  toldOfUser.every(({ offset }, index) => offset === (toldOfUser[0]?.offset ?? 0) + index)

for (const [engine, { skip, start }] of Object.entries(NODES)) {
  t.test(`a removed member's sockets, at two nodes of the engine ${engine}`, { skip }, async (t) => {
    const nodes = await start(t)
    const { one } = nodes
    const { request } = one
    const [tenant, other] = [await createOrganization(one.app), await createOrganization(one.app)]
    const [channel, elsewhere] = [channelOf(tenant), channelOf(other)]
    const { listen, rename, remove, leave } = actions(t, nodes, tenant)

    for (const [how, end] of Object.entries({ 'who is removed': remove, 'who leaves': leave })) {
      await t.test(`${how}: all are closed, and connect again by themselves`, async (t) => {
        const [member, staying] = [await tenant.add('member'), await tenant.add('member')]
        await other.add('member', member)
        const names = [channel, elsewhere]
        const lost = [await listen(member, names, 0), await listen(member, names, 1)]
        // It hears nothing of the organization.
        const own = await listen(member, [])
        const here = await listen(staying, [channel])
        await rename(member)
        for (const ear of [...lost, own]) await eventually(async () => ear.toldOfUser.length > 0)

        t.equal((await end(member)).statusCode, 204)
        const project = (await other.createProject()).id
        const unknown = (await tenant.createProject()).id

        const told = engine === 'embedded' ? 'unsubscribed 2000' : 'unsubscribed 103'
        for (const ear of lost) {
          t.same(await isBack(ear, true), ['connecting 4000', told])
          t.ok(await ear.heard(elsewhere, [project]), 'of other organizations it hears all')
          t.same(ear.recoveries.slice(2), [true])
        }
        t.same(await isBack(own, false), ['connecting 4000'])
        await rename(member)
        for (const ear of [...lost, own]) {
          await eventually(async () => countOf(ear, 'users.updated') === 2)
          t.equal(countOf(ear, 'members.removed'), 1)
          t.ok(isWhole(ear), 'and of the person')
        }
        t.ok(await here.heard(channel, [unknown]))
        t.same(here.happened, ['connecting 0'], 'others stay')
        t.notOk(lost.some((ear) => ear.told.some(({ subject }) => subject === unknown)))
        for (const { client } of [...lost, own, here]) client.disconnect()
      })
    }

    await t.test('who is removed, and connects again, stays connected', async (t) => {
      const member = await tenant.add('member')
      const ear = await listen(member, [channel])
      t.equal((await remove(member)).statusCode, 204)
      await isBack(ear, true)
      await eventually(async () => countOf(ear, 'members.removed') === 1)
      await rename(member)
      await eventually(async () => countOf(ear, 'users.updated') === 1)
      t.equal(ear.happened.filter((line) => line.startsWith('connecting')).length, 2)
      ear.client.disconnect()
    })

    const whyNot = engine === 'centrifugo' && 'it asks everybody again'
    await t.test('another role, by which nothing is lost, closes nothing', { skip: whyNot }, async (t) => {
      const member = await tenant.add('member')
      const ear = await listen(member, [channel])
      const change = { method: 'PATCH', as: tenant.owner, payload: { role: 'admin' } } as const
      const answer = await request({ ...change, url: `${tenant.url}/members/${member.user.id}` })
      t.equal(answer.statusCode, 200, answer.body)
      await eventually(async () => countOf(ear, 'members.updated') === 1)
      t.same(ear.happened, ['connecting 0'])
      ear.client.disconnect()
    })

    await t.test('a suspended organization, and a deleted one', async (t) => {
      const admin = await one.signUp({ role: 'admin' })
      for (const what of ['suspended', 'deleted']) {
        const closed = await createOrganization(one.app)
        const ear = await listen(closed.owner, [channelOf(closed)])
        const suspend = `/api/v1/operations/organizations/${closed.organization.id}/suspend`
        const payload = { reason: 'Ticket 4711' }
        const answer =
          what === 'suspended'
            ? await request({ method: 'POST', url: suspend, as: admin, payload })
            : await request({ method: 'DELETE', url: closed.url, as: closed.owner })
        t.ok(answer.statusCode < 300, answer.body)
        t.equal((await isBack(ear, true)).length, 2)
        ear.client.disconnect()
      }
    })

    await t.test('an API key that loses a scope is asked again, and one that is revoked ends', async (t) => {
      const key = await tenant.createApiKey()
      const ear = await listen(key, [channel])
      const url = `${tenant.url}/api-keys/${key.id}`
      const payload = { scopes: ['members:read'] }
      t.equal((await request({ method: 'PATCH', url, payload, as: tenant.owner })).statusCode, 200)
      t.equal((await isBack(ear, true)).length, 2)
      t.equal((await request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
      await eventually(async () => ear.happened.includes('disconnected 3500'))
    })
  })
}
