import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('projects', async (t) => {
  const { app, request } = await createTestApp(t)
  const tenant = await createOrganization(app)
  const as = await tenant.add('member')
  const projects = `${tenant.url}/projects`
  const create = (payload: object, headers = {}) =>
    request({ method: 'POST', url: projects, payload, headers, as })

  await t.test('created, read, changed, deleted', async (t) => {
    const headers = { 'idempotency-key': uuidv7() }
    const made = await create({ name: 'Engine' }, headers)
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), { name: 'Engine', description: '', archived: false })
    t.equal((await create({ name: 'Engine' }, headers)).body, made.body, 'once')
    const url = `${projects}/${made.json().id}`
    t.equal(made.headers.location, url)
    const read = await request({ url, as })
    t.same(read.json(), made.json())
    const { etag } = read.headers
    t.equal((await request({ url, headers: { 'if-none-match': etag }, as })).statusCode, 304)
    const patch = (payload: object) =>
      request({ method: 'PATCH', url, payload, headers: { 'if-match': etag }, as })
    t.match((await patch({ archived: true })).json(), { name: 'Engine', archived: true })
    expectProblem(t, await patch({ archived: false }), { status: 412, code: 'project_changed' })
    t.equal((await request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const payload = method === 'PATCH' ? { payload: { name: 'Gone' } } : {}
      expectProblem(t, await request({ method, url, ...payload, as: tenant.owner }), {
        status: 404,
        code: 'project_not_found',
      })
    }
  })

  await t.test('names are unique in an organization, and free in another', async (t) => {
    t.equal((await create({ name: 'Straße' })).statusCode, 201)
    expectProblem(t, await create({ name: 'STRASSE' }), { status: 409, code: 'project_name_taken' })
    const other = await createOrganization(app)
    t.ok(await other.createProject('Straße'))
  })

  await t.test('lists are filtered and paged', async (t) => {
    const other = await createOrganization(app, as)
    for (const name of ['Alpha', 'alp%a', 'Beta', 'alphabet']) await other.createProject(name)
    const list = async (query: string) => {
      const response = await request({ url: `${other.url}/projects?${query}`, as })
      return { ...response.json(), names: response.json().data?.map(({ name }: { name: string }) => name) }
    }
    t.same((await list('')).names, ['alphabet', 'Beta', 'alp%a', 'Alpha'])
    t.same((await list('name=ALPHA')).names, ['alphabet', 'Alpha'])
    t.same((await list('name=alp%25')).names, ['alp%a'])
    t.same((await list('archived=true')).names, [])
    const first = await list('limit=2&archived=false')
    t.same(first.names, ['alphabet', 'Beta'])
    t.same((await list(`limit=2&archived=false&cursor=${first.next_cursor}`)).names, ['alp%a', 'Alpha'])
    const foreign = await request({ url: `${projects}?cursor=${first.next_cursor}`, as })
    expectProblem(t, foreign, { status: 400, code: 'invalid_cursor' })
  })
})
