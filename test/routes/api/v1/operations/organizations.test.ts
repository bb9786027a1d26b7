import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { purgeOrganizationsJob } from '#services/organizations/jobs.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const ORGANIZATIONS = '/api/v1/operations/organizations'

const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

t.test('organizations, as admins see them', async (t) => {
  const test = await createTestApp(t, { APP_ROLE: 'web' })
  const { app, db, request, signUp } = test
  const admin = await signUp({ role: 'admin' })

  async function named(name: string, slug?: string): Promise<TestOrganization> {
    const tenant = await createOrganization(app)
    const payload = { name, ...(slug === undefined ? {} : { slug }) }
    await request({ method: 'PATCH', url: tenant.url, as: tenant.owner, payload })
    return tenant
  }

  const ask = async (query: string) => (await request({ url: `${ORGANIZATIONS}?${query}`, as: admin })).json()
  const namesOf = async (query: string) => (await ask(query)).data.map(({ name }: { name: string }) => name)

  await t.test('are found by a part of their name or slug, and by their id', async (t) => {
    const engines = await named('Analytical Engines', 'engines')
    await named('Ångström & 100 %', 'light')
    await named('Lovelace')
    for (const [q, names] of [
      ['lytical', ['Analytical Engines']],
      ['ENGIN', ['Analytical Engines']],
      ['engines', ['Analytical Engines']],
      [engines.organization.id, ['Analytical Engines']],
      [engines.organization.id.toUpperCase(), ['Analytical Engines']],
      ['light', ['Ångström & 100 %']],
      ['ångström', ['Ångström & 100 %']],
      ['0 %', ['Ångström & 100 %']],
      ['l', ['Lovelace', 'Ångström & 100 %', 'Analytical Engines']],
      [' lovelace ', ['Lovelace']],
      ['%', ['Ångström & 100 %']],
      ['_', []],
      [uuidv7(), []],
    ] as const)
      t.same(await namesOf(`q=${encodeURIComponent(q)}`), names, q)
    for (const q of ['', 'x'.repeat(101)])
      expectProblem(t, await request({ url: `${ORGANIZATIONS}?q=${q}`, as: admin }), {
        status: 400,
        code: 'validation_failed',
      })
  })

  await t.test('the one with just this slug comes first, however many are newer', async (t) => {
    const { organization } = await named('The first', 'acme')
    await db.query(
      `INSERT INTO organizations (id, name) SELECT uuidv7(), 'Other ' || n FROM generate_series(1, 10200) AS n`,
    )
    await named('Acme and others', 'acme-2')
    t.same(await namesOf('q=Acme&limit=1'), ['The first'])
    const page = await ask('q=Acme&limit=2')
    t.same(
      page.data.map(({ name }: { name: string }) => name),
      ['The first', 'Acme and others'],
    )
    // Each page looks at ten thousand; the rest is asked for.
    const found: string[] = []
    let cursor = ''
    let pages = 0
    do {
      const { data, next_cursor } = await ask(`q=the+first&limit=10${cursor}`)
      found.push(...data.map(({ id }: { id: string }) => id))
      cursor = next_cursor === null ? '' : `&cursor=${next_cursor}`
      pages++
    } while (cursor !== '')
    t.same(found, [organization.id])
    t.equal(pages, 2)
    const all = new Set<string>()
    for (let next = 'q=acme&limit=1'; next !== ''; ) {
      const { data, next_cursor } = await ask(next)
      for (const { name } of data) {
        t.notOk(all.has(name), name)
        all.add(name)
      }
      next = next_cursor === null ? '' : `q=acme&limit=1&cursor=${next_cursor}`
    }
    t.same([...all], ['The first', 'Acme and others'])
    await db.query("DELETE FROM organizations WHERE name LIKE 'Other %'")
  })

  await t.test('one, with how much it has and nothing of that', async (t) => {
    const tenant = await named('Secretive')
    await tenant.add('member')
    await tenant.createProject('Nobody else knows')
    const one = await request({ url: `${ORGANIZATIONS}/${tenant.organization.id}`, as: admin })
    t.match(one.json(), { name: 'Secretive', deleted_at: null, suspended_at: null, purge_requested_at: null })
    t.match(one.json().usage[0], { table: 'memberships', rows: 2, is_capped: false })
    t.notMatch(one.body, /Nobody else knows/)
    t.same((await ask(`q=${tenant.organization.id}`)).data, [one.json()])
    expectProblem(t, await request({ url: `${ORGANIZATIONS}/${uuidv7()}`, as: admin }), {
      status: 404,
      code: 'unknown_organization',
    })
    expectProblem(t, await request({ url: `${ORGANIZATIONS}/${tenant.organization.id}`, as: tenant.owner }), {
      status: 404,
      code: 'route_not_found',
    })
  })

  await t.test('counting ends, sooner in a list', async (t) => {
    const tenant = await named('Busy')
    const { id } = tenant.organization
    await db.query(
      `INSERT INTO projects (org_id, id, name, description)
       SELECT $1, uuidv7(), 'Project ' || n, '' FROM generate_series(1, 1001) AS n`,
      [id],
    )
    const projects = ({ usage }: { usage: { table: string }[] }) =>
      usage.find(({ table }) => table === 'projects')
    const [listed] = (await ask(`q=${id}`)).data
    t.same(projects(listed), { table: 'projects', rows: 1000, is_capped: true })
    const one = await request({ url: `${ORGANIZATIONS}/${id}`, as: admin })
    t.same(projects(one.json()), { table: 'projects', rows: 1001, is_capped: false })
  })

  await t.test('purged: only a closed one, for good, and with the reason in the log', async (t) => {
    const tenant = await named('On its way out')
    const { id } = tenant.organization
    await tenant.createProject()
    const act = (what: string, as: TestUser = admin) =>
      request({
        method: 'POST',
        url: `${ORGANIZATIONS}/${id}/${what}`,
        as,
        payload: { reason: 'Ticket 4711' },
      })
    const rowsOf = (table: string) => db.query(`SELECT FROM ${table} WHERE org_id = $1`, [id])
    expectProblem(t, await act('purge'), { status: 409, code: 'organization_open' })
    expectProblem(t, await act('purge', tenant.owner), { status: 404, code: 'route_not_found' })

    await act('suspend')
    const purged = await act('purge')
    t.equal(purged.statusCode, 202, purged.body)
    t.match(purged.json(), { id, deleted_at: /Z$/, suspended_at: /Z$/, purge_requested_at: /Z$/ })
    t.same((await act('purge')).json(), purged.json(), 'nothing happens twice')
    const entries = '/api/v1/operations/audit-entries?action=operations.purgeOrganization'
    const succeeded = async () =>
      (await request({ url: entries, as: admin }))
        .json()
        .data.filter(({ outcome }: { outcome: string }) => outcome === 'succeeded')
    const data = await succeeded()
    t.match(data, [{ actor_id: admin.user.id, target_type: 'organization', target_id: id }])
    t.equal(data.length, 1)
    t.match(JSON.parse(data[0].details), { reason: 'Ticket 4711', rows: Number })
    const told = await db.query("SELECT FROM events WHERE org_id = $1 AND type = 'organizations.deleted'", [
      id,
    ])
    t.equal(told.length, 1)

    // Opening it again does not bring it back.
    await act('restore')
    const closed = { status: 404, code: 'organization_not_found' }
    const restore = { method: 'POST', url: `${tenant.url}/restore`, as: tenant.owner } as const
    expectProblem(t, await request({ url: tenant.url, as: tenant.owner }), closed)
    expectProblem(t, await request(restore), closed)
    t.same((await request({ url: '/api/v1/organizations', as: tenant.owner })).json().data, [])

    await purgeOrganizationsJob.handler(app.ctx, {}, RUN)
    for (const table of ['projects', 'memberships']) t.same(await rowsOf(table), [], table)
    expectProblem(t, await act('purge'), { status: 404, code: 'unknown_organization' })
    t.equal((await succeeded()).length, 1, 'the entry stays')
    const by = { level: 'warn', user_id: admin.user.id, organization_id: id }
    const said = test
      .logs()
      .filter(({ organization_id, level }) => organization_id === id && level === 'warn')
    t.match(said, [
      { ...by, suspended: true, msg: 'an admin changed an organization' },
      { ...by, rows: JSON.parse(data[0].details).rows, msg: 'an admin had an organization purged' },
      { ...by, suspended: false, msg: 'an admin changed an organization' },
    ])
    t.match(
      test.logs().filter(({ msg }) => msg === 'purged organizations'),
      [{ organizations: 1 }],
    )
  })

  await t.test('purged: one that its owner has deleted', async (t) => {
    const tenant = await named('Deleted already')
    const { id } = tenant.organization
    await request({ method: 'DELETE', url: tenant.url, as: tenant.owner })
    const { deleted_at } = (await request({ url: `${ORGANIZATIONS}/${id}`, as: admin })).json()
    const payload = { reason: 'Ticket 4712' }
    const url = `${ORGANIZATIONS}/${id}/purge`
    const purged = await request({ method: 'POST', url, as: admin, payload })
    t.match(purged.json(), { deleted_at, suspended_at: null, purge_requested_at: /Z$/ })
    expectProblem(t, await request({ method: 'POST', url: `${tenant.url}/restore`, as: tenant.owner }), {
      status: 404,
      code: 'organization_not_found',
    })
  })
})
