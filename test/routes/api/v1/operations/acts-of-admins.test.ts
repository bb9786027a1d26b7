import t from 'tap'
import type { PlatformAuditEntry } from '#schemas/audit.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const URL_OF_LIST = '/api/v1/operations/audit-entries'

t.test('what an admin did is found in the logs of the service and of all organizations', async (t) => {
  const { app, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const [admin, colleague] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
  const [one, two] = [await createOrganization(app), await createOrganization(app)]
  const act = async (url: string, as: TestUser) => {
    const answer = await request({ method: 'POST', url, payload: { reason: 'Ticket 4711' }, as })
    t.ok(answer.statusCode < 300, answer.body)
  }
  const organizations = '/api/v1/operations/organizations'
  await act(`${organizations}/${one.organization.id}/suspend`, admin)
  await act(`${organizations}/${one.organization.id}/restore`, colleague)
  await act(`/api/v1/operations/users/${two.owner.user.id}/password-reset`, admin)
  await act(`${organizations}/${two.organization.id}/suspend`, admin)
  await act(`${organizations}/${two.organization.id}/restore`, admin)
  // As a member, which the service's admins need not know.
  await two.auditEntry()
  const own = await request({
    method: 'POST',
    url: '/api/v1/organizations',
    payload: { name: 'Own', slug: 'own' },
    as: admin,
  })
  const project = await request({
    method: 'POST',
    url: `/api/v1/organizations/${own.json().id}/projects`,
    payload: { name: 'Secret' },
    as: admin,
  })
  t.equal(project.statusCode, 201, project.body)

  const list = async (query: string, as = colleague): Promise<PlatformAuditEntry[]> =>
    (await request({ url: `${URL_OF_LIST}?${query}`, as })).json().data
  const { id } = admin.user

  await t.test('with the organization whose log has it', async (t) => {
    const all = await list(`admin_id=${id.toUpperCase()}`)
    const found = all.filter(({ target_id }) => target_id !== own.json().id)
    t.strictSame(
      found.map((entry) => [entry.action, entry.organization_id, entry.actor_id]),
      [
        ['organizations.reopened', two.organization.id, id],
        ['organizations.suspended', two.organization.id, id],
        ['operations.sendUserPasswordReset', null, id],
        ['organizations.suspended', one.organization.id, id],
      ],
    )
    t.same(new Set(found.map(({ actor_kind }) => actor_kind)), new Set(['admin']))
    t.match(JSON.parse(found[0]?.details ?? ''), { reason: 'Ticket 4711' })
  })

  await t.test('nothing that somebody did as a member', async (t) => {
    t.same(await list(`admin_id=${two.owner.user.id}`), [])
    t.notOk((await list(`admin_id=${id}`)).some(({ action }) => action.startsWith('projects.')))
  })

  await t.test('in pages, and by times', async (t) => {
    const all = await list(`admin_id=${id}`)
    const pages: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const url = `${URL_OF_LIST}?admin_id=${id}&limit=2${cursor && `&cursor=${cursor}`}`
      const page: { data: PlatformAuditEntry[]; next_cursor: string | null } = (
        await request({ url, as: colleague })
      ).json()
      pages.push(...page.data.map((entry) => entry.id))
      cursor = page.next_cursor
    }
    t.same(
      pages,
      all.map((entry) => entry.id),
    )
    t.same(await list(`admin_id=${id}&since=2999-01-01T00:00:00Z`), [])
    t.same(await list(`admin_id=${id}&until=2001-01-01T00:00:00Z`), [])
    t.same(await list(`admin_id=${id}&since=${encodeURIComponent(all.at(-1)?.at ?? '')}`), all)
  })

  await t.test('not together with what searches one log', async (t) => {
    for (const other of [
      'actor_id=x',
      'action=projects.created',
      'target_id=x',
      `organization_id=${one.organization.id}`,
    ])
      expectProblem(t, await request({ url: `${URL_OF_LIST}?admin_id=${id}&${other}`, as: colleague }), {
        status: 400,
        code: 'audit_filters_conflict',
      })
  })

  await t.test('other lists name their log', async (t) => {
    const org = one.organization.id
    t.same(
      new Set((await list(`organization_id=${org}`)).map(({ organization_id }) => organization_id)),
      new Set([org]),
    )
    t.same(new Set((await list('')).map(({ organization_id }) => organization_id)), new Set([null]))
  })

  await t.test('for admins of the service only', async (t) => {
    const refused = await request({ url: `${URL_OF_LIST}?admin_id=${id}`, as: two.owner })
    expectProblem(t, refused, { status: 404, code: 'route_not_found' })
  })
})
