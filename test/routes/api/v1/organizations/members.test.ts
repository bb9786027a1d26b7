import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance, statementsOf } from '#test/support/instances.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('members', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t)

  await t.test('only owners touch owners, and nobody grants more than they have', async (t) => {
    const tenant = await createOrganization(app)
    const [admin, member] = [await tenant.add('admin'), await tenant.add('member')]
    const of = (user: typeof admin) => `${tenant.url}/members/${user.user.id}`
    const change = (as: typeof admin, whom: typeof admin, role: string) =>
      request({ method: 'PATCH', url: of(whom), payload: { role }, as })
    const forbidden = { status: 403, code: 'forbidden' }
    expectProblem(t, await change(admin, tenant.owner, 'member'), forbidden)
    expectProblem(t, await change(admin, member, 'owner'), forbidden)
    expectProblem(t, await change(admin, admin, 'owner'), forbidden)
    expectProblem(t, await request({ method: 'DELETE', url: of(tenant.owner), as: admin }), forbidden)
    t.match((await change(admin, member, 'admin')).json(), { user_id: member.user.id, role: 'admin' })
    expectProblem(t, await change(tenant.owner, tenant.owner, 'admin'), { status: 409, code: 'last_owner' })
    const { etag } = (await request({ url: of(member), as: member })).headers
    t.equal((await change(tenant.owner, member, 'member')).statusCode, 200)
    const stale = await request({
      method: 'DELETE',
      url: of(member),
      headers: { 'if-match': etag },
      as: tenant.owner,
    })
    expectProblem(t, stale, { status: 412, code: 'member_changed' })
    expectProblem(t, await change(tenant.owner, await signUp(), 'member'), {
      status: 404,
      code: 'member_not_found',
    })
  })

  await t.test('lists are paged', async (t) => {
    const tenant = await createOrganization(app)
    const member = await tenant.add('member')
    const url = `${tenant.url}/members?limit=1`
    const first = (await request({ url, as: member })).json()
    t.match(first.data, [
      { email: tenant.owner.user.email, username: tenant.owner.user.username, role: 'owner' },
    ])
    const next = (await request({ url: `${url}&cursor=${first.next_cursor}`, as: member })).json()
    t.match(next, { data: [{ user_id: member.user.id }], next_cursor: null })
    const elsewhere = await createOrganization(app, member)
    const foreign = `${elsewhere.url}/members?cursor=${first.next_cursor}`
    expectProblem(t, await request({ url: foreign, as: member }), { status: 400, code: 'invalid_cursor' })
  })

  await t.test(
    'the last owner stays, one who hands over is an admin, and one who leaves is gone',
    async (t) => {
      const tenant = await createOrganization(app)
      const member = await tenant.add('member')
      const post = (path: string, as: typeof member, payload?: object) =>
        request({ method: 'POST', url: tenant.url + path, as, ...(payload ? { payload } : {}) })
      expectProblem(t, await post('/leave', tenant.owner), { status: 409, code: 'last_owner' })
      const handed = await post('/ownership', tenant.owner, { user_id: member.user.id })
      t.match(handed.json(), { user_id: member.user.id, role: 'owner' })
      t.match((await request({ url: tenant.url, as: tenant.owner })).json(), { role: 'admin' })
      t.equal((await post('/leave', tenant.owner)).statusCode, 204)
      expectProblem(t, await request({ url: tenant.url, as: tenant.owner }), {
        status: 404,
        code: 'organization_not_found',
      })
    },
  )

  await t.test('who acts while the role is changed acts with what is left of the old one', async (t) => {
    const tenant = await createOrganization(app)
    const changes = `WITH locked AS (SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE)
      UPDATE memberships SET role = $3 WHERE user_id = $2 AND org_id = (SELECT id FROM locked)`
    const superuser = { ...db, url: db.superuserUrl }
    const member = await tenant.add('member')
    const remove = { method: 'DELETE', url: `${tenant.url}/members/${member.user.id}` } as const
    const leave = { method: 'POST', url: `${tenant.url}/leave` } as const
    for (const [from, to, sent, status] of [
      ['member', 'admin', leave, 204],
      ['admin', 'member', leave, 204],
      ['admin', 'member', remove, 403],
      ['admin', 'owner', remove, 204],
    ] as const) {
      const as = await tenant.add(from)
      const change = await holdTransaction(t, superuser, changes, [tenant.organization.id, as.user.id, to])
      const answer = request({ ...sent, as })
      await waiting(db, 1)
      await change.commit()
      t.equal((await answer).statusCode, status, `${sent.url} as ${to}, who was ${from}`)
    }
  })

  await t.test('an owner who cannot sign in does not count as one', async (t) => {
    const tenant = await createOrganization(app)
    const [away, member] = [await tenant.add('owner'), await tenant.add('member')]
    const root = await signUp({ role: 'admin' })
    const setActive = (is_active: boolean) =>
      request({ method: 'PATCH', url: `/api/v1/users/${away.user.id}`, payload: { is_active }, as: root })
    const post = (path: string, payload?: object) =>
      request({ method: 'POST', url: tenant.url + path, as: tenant.owner, ...(payload ? { payload } : {}) })
    const own = `${tenant.url}/members/${tenant.owner.user.id}`
    const change = (url: string, role: string) =>
      request({ method: 'PATCH', url, payload: { role }, as: tenant.owner })
    t.equal((await setActive(false)).statusCode, 200)
    const last = { status: 409, code: 'last_owner' }
    expectProblem(t, await post('/leave'), last)
    expectProblem(t, await change(own, 'member'), last)
    expectProblem(t, await request({ method: 'DELETE', url: own, as: tenant.owner }), last)
    expectProblem(t, await post('/ownership', { user_id: away.user.id }), last)
    t.match((await request({ url: tenant.url, as: tenant.owner })).json(), { role: 'owner' }, 'undone')
    const refused = await request({ method: 'DELETE', url: '/api/v1/users/me', as: tenant.owner })
    expectProblem(t, refused, { status: 409, code: 'sole_owner' })
    // Those who are away can be made less, and one who is there can take over.
    t.equal((await change(`${tenant.url}/members/${away.user.id}`, 'member')).statusCode, 200)
    t.equal((await post('/ownership', { user_id: member.user.id })).statusCode, 200)
    t.equal((await setActive(true)).statusCode, 200)
    t.equal((await post('/leave')).statusCode, 204)
  })

  await t.test(
    'an account that is deleted while it is made the owner leaves nobody without one',
    async (t) => {
      for (let round = 0; round < 5; round++) {
        const tenant = await createOrganization(app)
        const next = await tenant.add('member')
        await Promise.all([
          request({
            method: 'POST',
            url: `${tenant.url}/ownership`,
            payload: { user_id: next.user.id },
            as: tenant.owner,
          }),
          request({ method: 'DELETE', url: '/api/v1/users/me', as: next }),
        ])
        const owners = "SELECT FROM memberships WHERE org_id = $1 AND role = 'owner'"
        t.equal((await db.query(owners, [tenant.organization.id])).length, 1)
      }
    },
  )

  await t.test(
    'warm, a request costs no query for the membership; a change reaches other instances',
    async (t) => {
      const other = await startInstance(t, db, { APP_ROLE: 'web' })
      const tenant = await createOrganization(app)
      const member = await tenant.add('member')
      const project = await tenant.createProject()
      const ask = () => other.inject({ url: `${tenant.url}/projects/${project.id}`, headers: member.headers })
      // The cache is not trusted before the channel is.
      await eventually(async () => {
        await ask()
        const statements = await statementsOf(other, ask)
        return JSON.stringify(statements) === '{"selectProject":1}'
      })
      const url = `${tenant.url}/members/${member.user.id}`
      t.equal((await request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
      t.equal((await request({ url: tenant.url, as: member })).statusCode, 404, 'here at once')
      await eventually(async () => (await ask()).statusCode === 404)

      // The same for what was written past the service.
      await tenant.add('member', member)
      t.equal((await ask()).statusCode, 200)
      await db.query('DELETE FROM memberships WHERE user_id = $1', [member.user.id])
      await eventually(async () => (await ask()).statusCode === 404)
    },
  )
})
