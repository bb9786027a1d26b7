import t from 'tap'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { ApiKeyChanged } from '#services/api-keys/errors.ts'
import { forMember, Membership } from '#services/members/membership.ts'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

const DAY_MS = 86_400_000

t.test('what the routes do not show of API keys', async (t) => {
  const { app, db, request } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const { owner } = tenant
  const org = tenant.organization.id
  const url = `${tenant.url}/api-keys`
  const rows = { org, user: owner.user.id, isDeleted: false, isSuspended: false }
  const as = (role: 'member' | 'owner') => forMember(app.ctx, new Membership({ ...rows, role }))
  const read = async (id: string) => (await request({ url: `${url}/${id}`, as: owner })).json()

  await t.test('nobody grants a key more than they have, nor has it replaced', async (t) => {
    const scopes = ['projects:read', 'projects:delete'] as const
    const key = await tenant.createApiKey({ scopes: [...scopes] })
    const before = await db.query('SELECT * FROM api_keys')
    const member = as('member')
    await t.rejects(apiKeys.create(member, { name: 'More', scopes: [...scopes] }), Forbidden)
    await t.rejects(apiKeys.update(member, key.id, { scopes: [...scopes] }, undefined), Forbidden)
    await t.rejects(apiKeys.rotate(member, key.id, { grace: 0 }), Forbidden)
    t.same(await db.query('SELECT * FROM api_keys'), before)
    t.match(await apiKeys.create(member, { name: 'Less', scopes: ['projects:read'] }), { status: 'active' })
  })

  await t.test('a successor lives as long, and no longer than a key may', async (t) => {
    const key = await tenant.createApiKey({ expires_in_days: 366 })
    await db.query("UPDATE api_keys SET created_at = created_at - interval '10 days' WHERE id = $1", [key.id])
    const { created_at, expires_at } = await apiKeys.rotate(as('owner'), key.id, { grace: 0 })
    t.equal(Date.parse(expires_at) - Date.parse(created_at), 366 * DAY_MS)
  })

  await t.test('a grace does not make a key live longer', async (t) => {
    const key = await tenant.createApiKey()
    await db.query("UPDATE api_keys SET expires_at = now() + interval '1 minute' WHERE id = $1", [key.id])
    const { expires_at } = await read(key.id)
    await apiKeys.rotate(as('owner'), key.id, { grace: 3600 })
    t.equal((await read(key.id)).expires_at, expires_at)
  })

  await t.test('keys are listed newest first, a page at a time', async (t) => {
    const ids = (await db.query<{ id: string }>('SELECT id FROM api_keys ORDER BY id DESC')).map(
      ({ id }) => id,
    )
    t.ok(ids.length > 4)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: Record<string, string> = { limit: '2', ...(cursor && { cursor }) }
      const page = (await request({ url, query, as: owner })).json()
      t.ok(page.data.length <= 2)
      seen.push(...page.data.map(({ id }: { id: string }) => id))
      cursor = page.next_cursor
    }
    t.same(seen, ids)
  })

  await t.test('the version that somebody saw is the one that ends', async (t) => {
    const key = await tenant.createApiKey()
    const old = [key.updated_at]
    await apiKeys.update(as('owner'), key.id, { name: 'Changed' }, old)
    await t.rejects(apiKeys.revoke(as('owner'), key.id, old), ApiKeyChanged)
    await t.rejects(apiKeys.update(as('owner'), key.id, { name: 'Again' }, old), ApiKeyChanged)
    t.match(await read(key.id), { name: 'Changed', status: 'active' })
    await apiKeys.revoke(as('owner'), key.id, [(await read(key.id)).updated_at])
    await apiKeys.revoke(as('owner'), key.id, old)
    t.match(await read(key.id), { status: 'revoked' })
  })

  await t.test('a change is of one key alone', async (t) => {
    const [one, other] = [await tenant.createApiKey(), await tenant.createApiKey()]
    const before = await read(other.id)
    await apiKeys.update(as('owner'), one.id, { name: 'One', is_disabled: true }, undefined)
    await apiKeys.update(as('owner'), one.id, { is_disabled: false }, undefined)
    await apiKeys.rotate(as('owner'), one.id, { grace: 60 })
    await apiKeys.revoke(as('owner'), one.id, undefined)
    t.same(await read(other.id), before)
    t.match(await read(one.id), { name: 'One', status: 'revoked' })
  })
})
