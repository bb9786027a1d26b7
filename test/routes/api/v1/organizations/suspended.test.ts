import t from 'tap'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('a suspended organization is closed to all, until an admin restores it', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const accept = (token: string) =>
    request({ method: 'POST', url: '/api/v1/invitations/accept', payload: { token } })
  const [tenant, admin, invited] = [
    await createOrganization(app),
    await signUp({ role: 'admin' }),
    await signUp(),
  ]
  await tenant.createProject()
  const { headers } = await tenant.createApiKey()
  const invitation = { email: invited.user.email, role: 'member' }
  const invite = { method: 'POST', url: `${tenant.url}/invitations`, payload: invitation } as const
  await request({ ...invite, as: tenant.owner })
  const token = tokenIn(await nextMail(app, invited.user.email))
  const operations = '/api/v1/operations/organizations'
  const { id } = tenant.organization
  const listed = async () =>
    (await request({ url: `${operations}?limit=100`, as: admin }))
      .json()
      .data.find((organization: { id: string }) => organization.id === id)
  const usage = [
    { table: 'memberships', rows: 1, is_capped: false },
    { table: 'api_keys', rows: 1, is_capped: false },
    { table: 'organization_invitations', rows: 1, is_capped: false },
    { table: 'projects', rows: 1, is_capped: false },
  ]
  const shown = await listed()
  t.match(shown, { name: tenant.organization.name, suspended_at: null })
  t.same(
    shown.usage.filter(({ rows }: { rows: number }) => rows > 0),
    usage,
  )
  expectProblem(t, await request({ url: operations, as: tenant.owner }), {
    status: 404,
    code: 'route_not_found',
  })

  const projects = `${tenant.url}/projects`
  t.equal((await request({ url: projects, headers })).statusCode, 200, 'a key is let in')

  const payload = { reason: 'Ticket 4711' }
  const suspended = await request({
    method: 'POST',
    url: `${operations}/${id}/suspend`,
    as: admin,
    payload,
  })
  t.equal(suspended.statusCode, 200, suspended.body)
  t.same(suspended.json(), await listed())
  t.type(suspended.json().suspended_at, 'string')
  const closed = { status: 403, code: 'organization_suspended' }
  for (const url of [tenant.url, projects]) {
    expectProblem(t, await request({ url, as: tenant.owner }), closed)
    expectProblem(t, await request({ url, as: admin }), { status: 404, code: 'organization_not_found' })
  }
  for (const url of [projects, '/api/v1/api-keys/current'])
    expectProblem(t, await request({ url, headers }), closed)
  expectProblem(t, await accept(token), { status: 404, code: 'invitation_not_found' })
  t.same((await request({ url: '/api/v1/users/me/invitations', as: invited })).json().data, [])

  await request({ method: 'POST', url: `${operations}/${id}/restore`, as: admin, payload })
  t.equal((await request({ url: tenant.url, as: tenant.owner })).statusCode, 200)
  t.equal((await request({ url: projects, headers })).statusCode, 200)
  t.equal((await accept(token)).statusCode, 200)
  t.match(
    (await entriesOf(db, 'organizations.%', id)).filter(({ actor_id }) => actor_id === admin.user.id),
    [{ action: 'organizations.suspended' }, { action: 'organizations.reopened' }],
  )
  const unknown = `${operations}/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90/suspend`
  expectProblem(t, await request({ method: 'POST', url: unknown, as: admin, payload }), {
    status: 404,
    code: 'unknown_organization',
  })
})

t.test('a suspended organization keeps nobody, and opens again with another owner', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const [tenant, admin] = [await createOrganization(app), await signUp({ role: 'admin' })]
  const [member, gone, stranger] = [await tenant.add('member'), await tenant.add('member'), await signUp()]
  const { id } = tenant.organization
  const act = (path: string, payload: object = {}) =>
    request({
      method: 'POST',
      url: `/api/v1/operations/organizations/${id}/${path}`,
      payload: { reason: 'Ticket 4711', ...payload },
      as: admin,
    })
  const appoint = (user_id: string) => act('owner', { user_id })
  const listed = async () => (await request({ url: '/api/v1/organizations', as: member })).json().data
  const leave = { method: 'DELETE', url: '/api/v1/users/me', as: tenant.owner } as const

  t.match(await listed(), [{ id, suspended_at: null }])
  expectProblem(t, await request(leave), { status: 409, code: 'sole_owner' })
  t.match((await act('suspend')).json(), { has_owner: true, suspended_at: /Z$/ })
  t.match(await listed(), [{ id, role: 'member', suspended_at: /Z$/ }], 'members see why nothing works')
  t.equal((await request(leave)).statusCode, 204, 'nobody could hand it over')
  t.match(await db.query('SELECT deleted_at, suspended_at FROM organizations WHERE id = $1', [id]), [
    { deleted_at: null, suspended_at: Date },
  ])
  expectProblem(t, await act('restore'), { status: 409, code: 'organization_without_owner' })
  t.match((await request({ url: `/api/v1/operations/organizations/${id}`, as: admin })).json(), {
    has_owner: false,
    suspended_at: /Z$/,
  })

  await db.query('UPDATE users SET is_active = false WHERE id = $1', [gone.user.id])
  for (const { user } of [stranger, gone])
    expectProblem(t, await appoint(user.id), { status: 404, code: 'member_not_found' })
  const unknown = '/api/v1/operations/organizations/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90/owner'
  const payload = { user_id: member.user.id, reason: 'Ticket 4711' }
  expectProblem(t, await request({ method: 'POST', url: unknown, payload, as: admin }), {
    status: 404,
    code: 'unknown_organization',
  })
  for (const turn of ['first', 'again'])
    t.match((await appoint(member.user.id)).json(), { has_owner: true, suspended_at: /Z$/ }, turn)
  expectProblem(t, await request({ url: tenant.url, as: member }), {
    status: 403,
    code: 'organization_suspended',
  })
  t.equal((await act('restore')).statusCode, 200)
  t.match((await request({ url: tenant.url, as: member })).json(), { role: 'owner', suspended_at: null })
  t.match(
    await entriesOf(db, 'members.updated', member.user.id),
    [{ action: 'members.updated', actor_id: admin.user.id }],
    'once, and by whom',
  )
})
