import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { ENGINES } from '#test/support/engines.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, tokenOf } from '#test/support/realtime.ts'

/** A person or an API key. */
type Caller = Parameters<typeof tokenOf>[0]

for (const [engine, { skip, start }] of Object.entries(ENGINES)) {
  t.test(`who listens to a channel, with the engine ${engine}`, { skip }, async (t) => {
    const { app, request, url, centrifugo } = await start(t)
    const tenant = await createOrganization(app)
    const channel = `organizations:${tenant.organization.id}:projects`
    const ask = (name: string, { headers }: Caller, at = tenant.url) =>
      request({ url: `${at}/presence?channel=${encodeURIComponent(name)}`, headers })
    const listen = async (who: Caller, name = channel) => {
      const ear = new Ear(t, url, async () => tokenOf(who))
      t.match(await ear.to(name), { state: 'subscribed' })
      return ear
    }

    await t.test('is told to members, and to keys with the scope', async (t) => {
      const [member, key] = [await tenant.add('member'), await tenant.createApiKey()]
      t.same((await ask(channel, member)).json(), {
        ...{ channel, client_count: 0, caller_count: 0, clients: [] },
      })
      const ears = [await listen(member), await listen(member), await listen(key)]
      for (const as of [member, key, tenant.owner]) {
        const answer = await ask(channel, as)
        t.equal(answer.statusCode, 200, answer.body)
        const { clients, ...counts } = answer.json()
        t.same(counts, { channel, client_count: 3, caller_count: 2 })
        const callers = clients.map(
          (client: { user_id: string | null; api_key_id: string | null }) =>
            client.user_id ?? `key ${client.api_key_id}`,
        )
        t.same(callers.sort(), [member.user.id, member.user.id, `key ${key.id}`].sort())
        t.equal(new Set(clients.map((client: { id: string }) => client.id)).size, 3)
      }
      for (const { client } of ears) client.disconnect()
      await eventually(async () => (await ask(channel, member)).json().client_count === 0)
    })

    await t.test('is not told to others, nor of what they could not hear', async (t) => {
      const other = await createOrganization(app)
      const [both, stranger] = [await tenant.add('member'), other.owner]
      await other.add('member', both)
      const ear = await listen(tenant.owner)
      const theirs = `organizations:${other.organization.id}:projects`
      const listener = await listen(stranger, theirs)
      const refused = { status: 404, code: 'channel_not_found' }
      const unknown = await ask(`organizations:${uuidv7()}:projects`, tenant.owner)
      expectProblem(t, unknown, refused)
      for (const name of [theirs, 'nothing', `user:${tenant.owner.user.id}`, `user:${stranger.user.id}`])
        expectProblem(t, await ask(name, tenant.owner), refused)
      expectProblem(t, await ask(channel, both, other.url), refused)
      expectProblem(t, await ask(channel, stranger), { status: 404, code: 'organization_not_found' })
      const narrow = await tenant.createApiKey({ scopes: ['members:read'] })
      expectProblem(t, await ask(channel, narrow), refused)
      const blind = await tenant.createApiKey({ scopes: ['projects:read'] })
      expectProblem(t, await ask(channel, blind), { status: 403, code: 'insufficient_scope' })
      const files = `organizations:${tenant.organization.id}:files`
      expectProblem(t, await ask(files, tenant.owner), { status: 409, code: 'channel_without_presence' })
      expectProblem(t, await ask('', tenant.owner), { status: 400, code: 'validation_failed' })
      for (const { client } of [ear, listener]) client.disconnect()
    })

    await t.test('is unknown when the cluster does not answer', { skip: !centrifugo }, async (t) => {
      await centrifugo?.kill()
      const answer = await ask(channel, tenant.owner)
      expectProblem(t, answer, { status: 503, code: 'realtime_unavailable' })
      t.equal(answer.headers['retry-after'], '5')
    })
  })
}

t.test('without an engine nobody listens', async (t) => {
  const { app, request } = await createTestApp(t, { APP_REALTIME__ENGINE: 'none' })
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const answer = await request({ url: `${tenant.url}/presence?channel=${channel}`, as: tenant.owner })
  expectProblem(t, answer, { status: 404, code: 'realtime_disabled' })
})
