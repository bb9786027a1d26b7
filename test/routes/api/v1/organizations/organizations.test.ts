import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { purgeOrganizationsJob } from '#services/organizations/jobs.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const ORGANIZATIONS = '/api/v1/organizations'
const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

t.test('organizations', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_TENANCY__ORGANIZATIONS_PER_USER: '2',
    APP_TENANCY__DELETION_GRACE: '10d',
  })
  const create = (as: Awaited<ReturnType<typeof signUp>>, payload: object) =>
    request({ method: 'POST', url: ORGANIZATIONS, payload, as })

  await t.test('created once, its creator owns it', async (t) => {
    const ada = await signUp()
    const payload = { name: 'Analytical Engines', slug: 'analytical-engines' }
    const headers = { 'idempotency-key': uuidv7() }
    const made = await request({ method: 'POST', url: ORGANIZATIONS, payload, headers, as: ada })
    t.equal(made.statusCode, 201, made.body)
    const { id } = made.json()
    t.match(made.json(), { ...payload, role: 'owner', deleted_at: null })
    t.equal(made.headers.location, `${ORGANIZATIONS}/${id}`)
    const again = await request({ method: 'POST', url: ORGANIZATIONS, payload, headers, as: ada })
    t.equal(again.body, made.body)

    const read = await request({ url: `${ORGANIZATIONS}/${id}`, as: ada })
    t.same(read.json(), made.json())
    t.equal(read.headers.etag, made.headers.etag)
    t.same((await request({ url: ORGANIZATIONS, as: ada })).json().data, [made.json()])

    expectProblem(t, await create(await signUp(), payload), { status: 409, code: 'slug_taken' })
    t.equal((await create(ada, { name: 'Second' })).statusCode, 201)
    expectProblem(t, await create(ada, { name: 'Third' }), {
      status: 409,
      code: 'organization_limit_reached',
    })
  })

  await t.test('two at once do not pass the limit', async (t) => {
    const user = await signUp()
    const responses = await Promise.all(Array.from({ length: 6 }, (_, n) => create(user, { name: `${n}` })))
    t.equal(responses.filter(({ statusCode }) => statusCode === 201).length, 2)
  })

  await t.test('lists are paged, and hold what is one’s own', async (t) => {
    const { owner, organization } = await createOrganization(app)
    const other = await createOrganization(app)
    await other.add('admin', owner)
    const first = (await request({ url: `${ORGANIZATIONS}?limit=1`, as: owner })).json()
    t.match(first.data, [{ id: other.organization.id, role: 'admin' }])
    const url = `${ORGANIZATIONS}?limit=1&cursor=${first.next_cursor}`
    const second = (await request({ url, as: owner })).json()
    t.match(second, { data: [{ id: organization.id, role: 'owner' }], next_cursor: null })
    expectProblem(t, await request({ url, as: await signUp() }), { status: 400, code: 'invalid_cursor' })
  })

  await t.test('changed by version', async (t) => {
    const { url, owner } = await createOrganization(app)
    const { etag } = (await request({ url, as: owner })).headers
    const patch = (payload: object, headers = {}) =>
      request({ method: 'PATCH', url, payload, headers, as: owner })
    const changed = await patch({ name: 'Another', slug: 'another-one' }, { 'if-match': etag })
    t.match(changed.json(), { name: 'Another', slug: 'another-one', role: 'owner' })
    expectProblem(t, await patch({ name: 'Late' }, { 'if-match': etag }), {
      status: 412,
      code: 'organization_changed',
    })
    t.match((await patch({ slug: null })).json(), { name: 'Another', slug: null })
  })

  await t.test('deleted, restored, purged', async (t) => {
    const tenant = await createOrganization(app)
    const { url, owner, organization } = tenant
    const member = await tenant.add('member')
    await tenant.createProject()
    t.equal((await request({ url, as: member })).statusCode, 200)
    t.equal((await request({ method: 'DELETE', url, as: owner })).statusCode, 204)
    for (const as of [owner, member]) {
      for (const path of ['', '/projects', '/members']) {
        expectProblem(t, await request({ url: url + path, as }), {
          status: 404,
          code: 'organization_not_found',
        })
      }
    }
    expectProblem(t, await request({ method: 'POST', url: `${url}/restore`, as: member }), {
      status: 404,
      code: 'organization_not_found',
    })
    t.match((await request({ url: ORGANIZATIONS, as: owner })).json().data, [
      { id: organization.id, deleted_at: /Z$/ },
    ])
    t.same((await request({ url: ORGANIZATIONS, as: member })).json().data, [])

    await purgeOrganizationsJob.handler(app.ctx, {}, RUN)
    const restored = await request({ method: 'POST', url: `${url}/restore`, as: owner })
    t.match(restored.json(), { id: organization.id, deleted_at: null })
    t.equal((await request({ url: `${url}/projects`, as: member })).json().data.length, 1)

    await request({ method: 'DELETE', url, as: owner })
    await db.query("UPDATE organizations SET deleted_at = now() - interval '11 days' WHERE id = $1", [
      organization.id,
    ])
    const late = await request({ method: 'POST', url: `${url}/restore`, as: owner })
    expectProblem(t, late, { status: 404, code: 'organization_not_found' })
    t.same((await request({ url: ORGANIZATIONS, as: owner })).json().data, [], 'the grace is over')
    await purgeOrganizationsJob.handler(app.ctx, {}, RUN)
    for (const table of ['memberships', 'projects']) {
      t.same(await db.query(`SELECT FROM ${table} WHERE org_id = $1`, [organization.id]), [], table)
    }
    expectProblem(t, await request({ method: 'POST', url: `${url}/restore`, as: owner }), {
      status: 404,
      code: 'organization_not_found',
    })
  })

  await t.test('an account that others depend on is not deleted', async (t) => {
    const tenant = await createOrganization(app)
    const alone = await createOrganization(app, tenant.owner)
    const member = await tenant.add('member')
    const remove = () => request({ method: 'DELETE', url: '/api/v1/users/me', as: tenant.owner })
    const refused = await remove()
    expectProblem(t, refused, { status: 409, code: 'sole_owner' })
    t.match(refused.json().detail, tenant.organization.id)
    t.notMatch(refused.json().detail, alone.organization.id)
    const byAdmin = { url: `/api/v1/users/${tenant.owner.user.id}`, as: await signUp({ role: 'admin' }) }
    expectProblem(t, await request({ method: 'DELETE', ...byAdmin }), { status: 409, code: 'sole_owner' })
    const owner = { role: 'owner' }
    const url = `${tenant.url}/members/${member.user.id}`
    t.equal((await request({ method: 'PATCH', url, payload: owner, as: tenant.owner })).statusCode, 200)
    t.equal((await remove()).statusCode, 204)
    t.match(await db.query('SELECT deleted_at FROM organizations WHERE id = $1', [alone.organization.id]), [
      { deleted_at: Date },
    ])
  })
})
